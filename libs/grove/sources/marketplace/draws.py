"""Random draws with names: the same name always gives the same numbers.

A stream is named by seed, purpose and keys (usually a day). Its values are drawn element by
element, so asking for more of them never changes the first ones: a growing catalogue
keeps its earlier items.
"""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def generator(seed: int, purpose: str, *keys: int) -> np.random.Generator:
    """Generator of the stream named by seed, purpose and non-negative keys."""
    return np.random.Generator(np.random.PCG64([seed, crc32(purpose.encode()), *keys]))


def uniforms(seed: int, purpose: str, *keys: int, shape: tuple[int, ...]) -> Floats:
    """Draw uniform numbers in [0, 1).

    Example:
        >>> few = uniforms(7, "price", shape=(3,))
        >>> bool((uniforms(7, "price", shape=(9,))[:3] == few).all())
        True
    """
    return generator(seed, purpose, *keys).random(shape)


def normals(seed: int, purpose: str, *keys: int, shape: tuple[int, ...]) -> Floats:
    """Draw standard normal numbers."""
    return generator(seed, purpose, *keys).standard_normal(shape)


def pick(weights: Floats, draws: Floats) -> Integers:
    """Draw one column per row, with probability proportional to its weight.

    Args:
        weights: [R, K] or [K] float, not negative, each row with a positive sum.
        draws: [R] float in [0, 1).

    Returns:
        [R] int64, columns.

    Example:
        >>> pick(np.array([1.0, 0.0, 3.0]), np.array([0.1, 0.9])).tolist()
        [0, 2]
    """
    upper = np.cumsum(weights, axis=-1)  # [R, K] or [K]
    target = draws * upper[..., -1]  # [R]
    if weights.ndim == 1:
        return np.searchsorted(upper, target, side="right").astype(np.int64)
    return (upper <= target[:, None]).sum(axis=1).astype(np.int64)
