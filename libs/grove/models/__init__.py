"""The networks: plain `torch.nn` modules that take plain values."""
