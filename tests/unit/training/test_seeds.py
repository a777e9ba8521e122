"""Seeds depend on names, not on draws."""

from __future__ import annotations

import torch

from grove.training.seeds import numpy_generator, seed_of, seed_torch


def test_seeds_of_different_purposes_differ():
    seeds = {seed_of(1, "order", epoch, rank) for epoch in range(20) for rank in range(5)}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_generators_restart():
    first = numpy_generator(1, "order").permutation(10).tolist()
    assert numpy_generator(1, "order").permutation(10).tolist() == first
    seed_torch(1, "weights")
    drawn = torch.rand(3)
    seed_torch(1, "weights")
    assert torch.equal(torch.rand(3), drawn)
