"""Quality of a tree: balance, distortion, use of codes, coherence, churn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grove.systems.treebridge.trees.build import mean_squared_distance
from grove.systems.treebridge.trees.tree import Tree


def tree_quality(
    tree: Tree, vectors: np.ndarray, categories: Sequence[str] | np.ndarray
) -> dict[str, Any]:
    """Measure a tree.

    Args:
        tree: N items.
        vectors: [N, D] float32, in the order of `tree.item_ids`.
        categories: N category names in the same order.

    Returns:
        `items`, `leaves`, `leaf_smallest`, `leaf_largest`, `free_share`, `free_slots`,
        `distortion` and `distortion_at_build` (mean squared distance to the leaf's centroid),
        `code_use` (share of codes in use, per level), `collisions` (slots held twice, 0),
        `coherence` (share of pairs of leaf mates with the same category) and
        `coherence_by_chance` (the same for any two items).
    """
    sizes = np.bincount(tree.leaves, minlength=tree.leaf_count)
    positions = tree.leaves * tree.leaf_capacity + tree.slots  # [N]
    kinds = np.unique(np.asarray(categories, dtype=object).astype(str), return_inverse=True)[1]
    return {
        "items": len(tree.item_ids),
        "leaves": tree.leaf_count,
        "leaf_smallest": int(sizes.min()),
        "leaf_largest": int(sizes.max()),
        "free_share": tree.free_share,
        "free_slots": tree.free_slots,
        "distortion": mean_squared_distance(vectors, tree.centroids[-1], tree.leaves),
        "distortion_at_build": tree.distortion_at_build,
        "code_use": [
            len(np.unique(codes)) / size
            for codes, size in zip(tree.paths.T, tree.level_sizes, strict=True)
        ],
        "collisions": len(positions) - len(np.unique(positions)),
        "coherence": _coherence(tree.leaves, kinds),
        "coherence_by_chance": _coherence(np.zeros_like(tree.leaves), kinds),
    }


def code_churn(old: Tree, new: Tree) -> float:
    """Share of the items both trees hold whose path differs; 0 when they share none.

    Trees of other depths have no path in common, so every item's path differs.
    """
    _, old_rows, new_rows = np.intersect1d(old.item_ids, new.item_ids, return_indices=True)
    if len(old_rows) == 0:
        return 0.0
    if len(old.level_sizes) != len(new.level_sizes):
        return 1.0
    return float((old.paths[old_rows] != new.paths[new_rows]).any(axis=1).mean())


def _coherence(groups: np.ndarray, kinds: np.ndarray) -> float:
    """Share of pairs within a group [N] that are of one kind [N]; 0 without any pair."""
    same_kind = np.unique(np.stack([groups, kinds]), axis=1, return_counts=True)[1]
    members = np.bincount(groups)
    pairs = float((members * (members - 1)).sum())
    return float((same_kind * (same_kind - 1)).sum()) / pairs if pairs else 0.0
