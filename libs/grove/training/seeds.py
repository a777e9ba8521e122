"""Seeds derived from names, so that a draw does not depend on the draws before it."""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def seed_of(seed: int, *parts: str | int) -> int:
    """Derive a seed for one purpose from the run's seed.

    Args:
        seed: of the run.
        parts: names of the purpose, such as `"shuffle", epoch, rank`.

    Returns:
        63-bit integer, the same on every machine.

    Example:
        >>> seed_of(13, "shuffle", 0) == seed_of(13, "shuffle", 0) != seed_of(13, "shuffle", 1)
        True
    """
    text = "/".join(map(str, (seed, *parts)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def numpy_generator(seed: int, *parts: str | int) -> np.random.Generator:
    """A numpy generator for one purpose; see `seed_of`."""
    return np.random.default_rng(seed_of(seed, *parts))


def seed_torch(seed: int, *parts: str | int) -> None:
    """Restart torch's global generator (initial weights, dropout) for one purpose."""
    torch.manual_seed(seed_of(seed, *parts))
