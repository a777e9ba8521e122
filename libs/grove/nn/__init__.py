"""Layers, embeddings and losses that systems share: plain `torch.nn` modules of plain values."""
