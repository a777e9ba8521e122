"""Change the items of a tree between rebuilds without moving a published code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from grove.errors import DataError
from grove.systems.treebridge.trees.assignment import nearest_clusters
from grove.systems.treebridge.trees.requirements import require_item_ids, require_vectors
from grove.systems.treebridge.trees.tree import Tree


def append(tree: Tree, vectors: np.ndarray, item_ids: Sequence[str] | np.ndarray) -> Tree:
    """Put new items into the nearest leaves with a free slot.

    In rounds: every item proposes to its nearest open leaf, a leaf accepts the closest items that
    fit, the others propose again. Centroids stay, so a leaf means the same as before.

    Args:
        tree: the tree in use.
        vectors: [A, D] float, from the same space as the tree's.
        item_ids: A ids the tree does not hold.

    Returns:
        A tree of the same generation; all earlier items keep leaf and slot.

    Raises:
        DataError: bad vectors, another width, ids that repeat or are in the tree already,
            or too few free slots for the new items.

    Example:
        >>> from grove.systems.treebridge.trees.build import build_tree
        >>> from grove.systems.treebridge.trees.shape import TreeShape
        >>> shape = TreeShape(level_sizes=(2,), leaf_capacity=4, headroom=0.5)
        >>> tree = build_tree(np.eye(4), ["a", "b", "c", "d"], shape=shape, iterations=5, seed=0)
        >>> grown = append(tree, np.eye(4)[:1], ["e"])
        >>> bool(grown.leaves[4] == grown.leaves[0]), grown.slots[4].item()
        (True, 2)
    """
    if len(item_ids) == 0:
        return tree
    dense = require_vectors(vectors, item_ids)
    ids = require_item_ids(item_ids, len(dense))
    _require_new(tree, dense, ids)
    leaves = _place(tree, dense)
    return replace(
        tree,
        item_ids=np.concatenate([tree.item_ids, ids]),
        leaves=np.concatenate([tree.leaves, leaves]),
        slots=np.concatenate([tree.slots, _lowest_free_slots(tree, leaves)]),
    )


def keep_items(tree: Tree, item_ids: Sequence[str] | np.ndarray) -> Tree:
    """Remove items that are no longer in the catalogue; their slots become free.

    Args:
        tree: the tree in use.
        item_ids: items that exist; those the tree does not hold are ignored.

    Returns:
        A tree in which the remaining items keep leaf and slot.
    """
    existing = set(item_ids)
    rows = np.array([item_id in existing for item_id in tree.item_ids], dtype=bool)  # [N]
    if rows.all():
        return tree
    return replace(
        tree, item_ids=tree.item_ids[rows], leaves=tree.leaves[rows], slots=tree.slots[rows]
    )


def _require_new(tree: Tree, vectors: np.ndarray, item_ids: np.ndarray) -> None:
    width = tree.codebooks[0].shape[1]
    if vectors.shape[1] != width:
        raise _wrong(
            "vectors of another space", f"width {width}", f"width {vectors.shape[1]}",
            "encode new items with the encoder the tree was built with",
        )  # fmt: skip
    known = sorted(set(item_ids) & set(tree.item_ids))
    if known:
        raise _wrong(
            "items are in the tree already", "items without a code", ", ".join(known[:5]),
            "append only items the tree does not hold",
        )  # fmt: skip
    if len(item_ids) > tree.free_slots:
        raise _wrong(
            "no free slot is left", f"{len(item_ids)} free slots", f"{tree.free_slots}",
            "rebuild the tree with all items",
        )  # fmt: skip


def _place(tree: Tree, vectors: np.ndarray) -> np.ndarray:
    """Nearest leaf with room for every vector, [A] int64."""
    room = tree.leaf_capacity - np.bincount(tree.leaves, minlength=tree.leaf_count)  # [leaves]
    placed = np.full(len(vectors), -1, dtype=np.int64)  # [A]
    while (placed < 0).any():
        waiting, open_leaves = np.flatnonzero(placed < 0), np.flatnonzero(room > 0)
        found = nearest_clusters(vectors[waiting], tree.centroids[-1][open_leaves])
        _fill_leaves(placed, room, waiting, found.spread(open_leaves), found.costs)
    return placed


def _fill_leaves(
    placed: np.ndarray,
    room: np.ndarray,
    waiting: np.ndarray,
    leaves: np.ndarray,
    distances: np.ndarray,
) -> None:
    """Place the waiting vectors, closest pair first, until their candidate leaves are used up.

    Changes `placed` and `room` in place. Only a vector none of whose M leaves has room
    is left for the next search.
    """
    rest = np.arange(len(waiting))  # [W]
    while len(rest):
        costs = np.where(room[leaves[rest]] > 0, distances[rest], np.inf)  # [W, M]
        best = np.argmin(costs, axis=1)  # [W]
        cost = costs[np.arange(len(rest)), best]
        rest, best, cost = (one[np.isfinite(cost)] for one in (rest, best, cost))
        chosen = leaves[rest, best]
        # Sorted by leaf, then by distance: a leaf accepts the first ones of its run that fit.
        order = np.lexsort((cost, chosen))
        first = np.searchsorted(chosen[order], chosen[order], side="left")
        accepted = order[np.arange(len(order)) - first < room[chosen[order]]]
        placed[waiting[rest[accepted]]] = chosen[accepted]
        np.subtract.at(room, chosen[accepted], 1)
        rest = np.delete(rest, accepted)


def _lowest_free_slots(tree: Tree, leaves: np.ndarray) -> np.ndarray:
    """Lowest free slot of its leaf for every appended item, in order, [A] int32."""
    taken = np.zeros((tree.leaf_count, tree.leaf_capacity), dtype=bool)
    taken[tree.leaves, tree.slots] = True
    slots = np.empty(len(leaves), dtype=np.int32)
    for row, leaf in enumerate(leaves):
        slots[row] = np.argmin(taken[leaf])
        taken[leaf, slots[row]] = True
    return slots


def _wrong(what: str, expected: str, found: str, next_step: str) -> DataError:
    return DataError(
        what, where="append to a tree", expected=expected, found=found, next_step=next_step
    )
