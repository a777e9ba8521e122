"""The tree: nodes with centroids, one codebook per level, one path and slot per item.

Notation: N items, L levels, K_l codes of level l, D width. A tree is complete: every
node of level l has K_l children, one per code. So nodes are numbered by their path, the
number of a leaf *is* its path in mixed radix, and two leaves cannot share a path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from grove.errors import DataError


@dataclass(frozen=True, kw_only=True, eq=False)
class Tree:
    """A tree as published, immutable; `append` returns a new one."""

    level_sizes: tuple[int, ...]
    """K_l, top first."""
    leaf_capacity: int
    """τ."""
    codebooks: tuple[np.ndarray, ...]
    """Per level [K_l, D] float32, residual of each code."""
    centroids: tuple[np.ndarray, ...]
    """Per level [K_1 ... K_l, D] float32, mean of the items a node was built with."""
    item_ids: np.ndarray
    """[N] object array of str."""
    leaves: np.ndarray
    """[N] int64, the leaf of each item."""
    slots: np.ndarray
    """[N] int32 in 0..τ-1, the slot inside the leaf."""
    generation: str
    """12 hex digits of the content at the (re)build; appending keeps it."""
    distortion_at_build: float
    """Mean squared distance to the leaf's centroid at the (re)build."""
    built_on: str = ""
    """Day of the (re)build, YYYY-MM-DD."""

    @property
    def leaf_count(self) -> int:
        """K_1 x ... x K_L."""
        return math.prod(self.level_sizes)

    @property
    def free_slots(self) -> int:
        """Items that can still be appended."""
        return self.leaf_count * self.leaf_capacity - len(self.item_ids)

    @property
    def free_share(self) -> float:
        """Share of all slots that are free."""
        return self.free_slots / (self.leaf_count * self.leaf_capacity)

    @property
    def paths(self) -> np.ndarray:
        """[N, L] int32, the codes of each item, top first."""
        return paths_of_leaves(self.leaves, self.level_sizes)


def paths_of_leaves(leaves: np.ndarray, level_sizes: tuple[int, ...]) -> np.ndarray:
    """Codes from the root to each leaf.

    Args:
        leaves: [N] int64.
        level_sizes: L codes per level.

    Returns:
        [N, L] int32.

    Example:
        >>> paths_of_leaves(np.array([0, 5]), (2, 3)).tolist()
        [[0, 0], [1, 2]]
    """
    return np.stack(np.unravel_index(leaves, level_sizes), axis=1).astype(np.int32)


def leaves_of_paths(paths: np.ndarray, level_sizes: tuple[int, ...]) -> np.ndarray:
    """Leaf at the end of each path.

    Args:
        paths: [N, L] int.
        level_sizes: L codes per level.

    Returns:
        [N] int64.

    Raises:
        DataError: a path is not in the tree.

    Example:
        >>> leaves_of_paths(np.array([[1, 2]]), (2, 3)).tolist()
        [5]
    """
    known = paths.ndim == 2 and paths.shape[1] == len(level_sizes)
    if not known or (paths < 0).any() or (paths >= np.asarray(level_sizes)).any():
        raise DataError(
            "paths are not in the tree",
            where="codes of a tree",
            expected=f"{len(level_sizes)} codes per item, below {level_sizes}",
            found=f"an array {paths.shape}, largest codes {paths.max(axis=0, initial=0).tolist()}",
            next_step="read codes and tree of the same generation",
        )
    return np.ravel_multi_index(tuple(paths.T), level_sizes)
