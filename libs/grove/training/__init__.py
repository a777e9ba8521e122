"""How a model learns: one loop, loaders, checkpoints, and the function each rank runs."""
