"""Inheritance of a rebuilt tree from the tree in use: starting centroids and codes.

K-means converges to a local optimum that depends on its initialisation. A tree built from scratch
is as good as the one before it and shares almost no path with it. A rebuild therefore starts at the
old tree's nodes, and a node of the old tree keeps its code.

Notation: N items, C of them in the old tree, L levels, P parents, K codes of a level, D width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grove.systems.treebridge.trees.kmeans import SPLIT_ABOVE, group_means, members_of_nodes
from grove.systems.treebridge.trees.tree import Tree

LEAST_SHARED = 0.5
"""Share of items that the old tree must hold; below it a tree is built from scratch."""
MOST_OTHER_CODES = 0.25
"""A level whose number of codes differs by more than this share, and every level below it, is built
from scratch."""
ROUNDING = 1e-5
"""Means of the same vectors in another order differ by less than this share of their size."""


@dataclass(frozen=True)
class OldCodes:
    """Old paths of the items that an old and a new tree share."""

    rows: np.ndarray
    """[C] int64, rows of the new tree's items."""
    paths: np.ndarray
    """[C, L] int64, their codes in the old tree."""
    level_sizes: tuple[int, ...]
    """Codes per level of the old tree."""


def shared_codes(item_ids: np.ndarray, previous: Tree | None) -> OldCodes | None:
    """Old codes of the items the old tree holds too; none when it holds none.

    Args:
        item_ids: [N] of the new tree.
        previous: the old tree, if there is one.
    """
    if previous is None:
        return None
    _, rows, old_rows = np.intersect1d(item_ids, previous.item_ids, return_indices=True)
    if len(rows) == 0:
        return None
    return OldCodes(rows, previous.paths[old_rows].astype(np.int64), previous.level_sizes)


def rows_built_from(
    previous: Tree, vectors: np.ndarray, item_ids: np.ndarray, level_sizes: tuple[int, ...]
) -> np.ndarray | None:
    """Rows of the old tree's items, if that tree is even and of exactly these items and vectors.

    Args:
        previous: the old tree.
        vectors: [N, D] float32.
        item_ids: [N].
        level_sizes: required codes per level.

    Returns:
        [N] int64, the row of each item in the old tree; none if the tree must be built.
    """
    if previous.level_sizes != level_sizes:
        return None
    order, old_order = np.argsort(item_ids), np.argsort(previous.item_ids)
    if not np.array_equal(item_ids[order], previous.item_ids[old_order]):
        return None
    rows = np.empty(len(order), dtype=np.int64)
    rows[order] = old_order
    leaves = previous.leaves[rows]
    sizes = np.bincount(leaves, minlength=previous.leaf_count)
    if sizes.min() == 0 or sizes.max() > sizes.min() + 1:
        return None
    means, built = group_means(vectors, leaves, previous.leaf_count), previous.centroids[-1]
    if means.shape != built.shape:
        return None
    rounding = ROUNDING * float(np.sqrt(np.square(built).mean()))
    same = np.allclose(means, built, rtol=0, atol=rounding)
    return rows if same else None


def inherited_starts(
    vectors: np.ndarray, parents: np.ndarray, old: OldCodes | None, sizes: tuple[int, ...]
) -> list[np.ndarray | None]:
    """First centroids of every parent's children: the means of their items in the old tree.

    The means are those of today's vectors, so that a tree over a retrained space, such as the cf
    tree, still starts at its old groups. A child that has no item any more, or
    that the old tree did not have, starts at the item farthest from all other starting points.

    Args:
        vectors: [N, D] float32, of the new tree.
        parents: [N] int64, numbered by their paths.
        old: codes of the items both trees hold.
        sizes: codes per level of the new tree, through the level of the children.

    Returns:
        [K, D] float32 per parent; none for a parent to be split from scratch, because the old tree
        had less than half of its children.
    """
    count, size = math.prod(sizes[:-1]), sizes[-1]
    if old is None or not _alike(old, sizes, len(vectors)):
        return [None] * count
    paths = old.paths[:, : len(sizes)]
    # Items below codes that the new tree does not have start nowhere; k-means places them.
    fits = (paths < np.asarray(sizes)).all(axis=1)  # [C]
    children = np.ravel_multi_index(tuple(paths[fits].T), sizes)
    held = np.bincount(children, minlength=count * size)  # [P K]
    means = group_means(vectors, children, count * size, rows=old.rows[fits])  # [P K, D]
    starts = means.reshape(count, size, -1)  # [P, K, D]
    empty = held.reshape(count, size) == 0  # [P, K]
    inherited = empty.sum(axis=1) * 2 <= size  # [P]
    return [
        _filled(start, missing, vectors, rows) if begins else None
        for start, missing, rows, begins in zip(
            starts, empty, members_of_nodes(parents), inherited, strict=True
        )
    ]


def _alike(old: OldCodes, sizes: Sequence[int], count: int) -> bool:
    """Whether the old tree is similar enough to start from."""
    if len(sizes) > len(old.level_sizes) or len(old.rows) < LEAST_SHARED * count:
        return False
    if sizes[-1] > SPLIT_ABOVE:  # it is split in two steps
        return False
    pairs = zip(sizes, old.level_sizes, strict=False)
    return all(abs(new - before) <= MOST_OTHER_CODES * before for new, before in pairs)


def _filled(
    start: np.ndarray, missing: np.ndarray, vectors: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Put each missing centroid at the member farthest from all present ones, in order.

    Args:
        start: [K, D] centroids.
        missing: [K] bool, those without a value.
        vectors: [N, D].
        rows: [M] int64, the vectors of the parent's items.

    Returns:
        [K, D], all with a value.
    """
    if not missing.any():
        return start
    filled, members = start.copy(), vectors[rows]  # [K, D], [M, D]
    there = np.flatnonzero(~missing)
    for code in np.flatnonzero(missing):
        found = filled[there]  # [K', D]
        # The farthest member covers what no start covers, and no two starts coincide.
        squared = -2 * members @ found.T + np.einsum("kd,kd->k", found, found)  # [M, K']
        nearest = squared.min(axis=1) + np.einsum("md,md->m", members, members)  # [M]
        filled[code] = members[nearest.argmax()]
        there = np.append(there, code)
    return filled
