"""The training loop, batches, checkpoints and workers that systems share; it knows no system."""
