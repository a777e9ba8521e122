"""A tree of item codes as arrays: the children of every node and the items of every leaf.

Shapes: N items, L levels, τ leaf capacity. Level l has as many nodes as there are distinct code
prefixes of length l + 1; the root is the only node above level 0. Nodes of a level are ordered by
prefix, so the children of a node are contiguous (compressed sparse rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.errors import DataError

NO_ITEM = -1
"""In a leaf's free slot, and for an item without a path."""


@dataclass(frozen=True, kw_only=True)
class CodeTree:
    """The paths of one tree over the rows of an item table."""

    child_start: tuple[np.ndarray, ...]
    """Per level l, [nodes of level l − 1, plus 1] int64: first child of each node at level l."""
    codes: tuple[np.ndarray, ...]
    """Per level, [nodes] int64: the code a node adds to its parent's prefix."""
    item_nodes: np.ndarray
    """[L, N] int64, node of each item per level; −1 for an item without a path."""
    leaf_items: np.ndarray
    """[leaves, τ] int64, item row by slot; −1 where the slot is free."""


def build_code_tree(paths: np.ndarray, slots: np.ndarray, *, capacity: int) -> CodeTree:
    """Arrange the items' paths as a tree.

    Args:
        paths: [N, L] int64 codes, −1 in all columns for an item without a path.
        slots: [N] int64 slot inside the leaf, 0 .. τ − 1.
        capacity: τ.

    Returns:
        The tree.

    Example:
        >>> paths = np.array([[0, 0], [1, 2], [1, 2]])
        >>> tree = build_code_tree(paths, np.array([0, 0, 1]), capacity=2)
        >>> tree.leaf_items.tolist()
        [[0, -1], [1, 2]]
        >>> [start.tolist() for start in tree.child_start]
        [[0, 2], [0, 1, 2]]
    """
    placed = np.flatnonzero(paths[:, 0] >= 0)  # [placed]
    item_nodes = np.full(paths.T.shape, NO_ITEM, dtype=np.int64)  # [L, N]
    child_start, codes = [], []
    parents, parent_count = np.zeros(len(placed), dtype=np.int64), 1
    for level, level_codes in enumerate(paths[placed].T.astype(np.int64)):
        span = int(level_codes.max(initial=0)) + 1
        keys, nodes = np.unique(parents * span + level_codes, return_inverse=True)
        child_start.append(np.searchsorted(keys // span, np.arange(parent_count + 1)))
        codes.append(keys % span)
        item_nodes[level, placed] = nodes
        parents, parent_count = nodes, len(keys)
    leaf_items = np.full((parent_count, capacity), NO_ITEM, dtype=np.int64)  # [leaves, τ]
    leaf_items[parents, slots[placed]] = placed
    return CodeTree(
        child_start=tuple(child_start),
        codes=tuple(codes),
        item_nodes=item_nodes,
        leaf_items=leaf_items,
    )


def read_code_tree(codes: pa.Table, item_ids: pa.Array, *, capacity: int) -> CodeTree:
    """Arrange rows of the `codes` dataset as a tree over an item table.

    Args:
        codes: item_id, path, slot of one tree.
        item_ids: [N] items of the item table; an item without a row in `codes` has no path.
        capacity: τ the generator was trained with; a tree with larger slots has more.

    Returns:
        The tree.

    Raises:
        DataError: no item of the table has a path, paths differ in length, a code or slot is
            missing or negative, or two items share a leaf and slot.
    """
    rows = pc.index_in(item_ids, value_set=codes["item_id"].combine_chunks())
    found = rows.is_valid().to_numpy(zero_copy_only=False)  # [N]
    if not found.any():
        raise DataError(
            "a tree without items",
            where="codes",
            expected="a path for every item of the item table",
            found=f"{len(codes)} paths, none of an item in the table",
            next_step="run build_trees for this day",
        )
    index = rows.drop_null().to_numpy().astype(np.int64)
    coded = _read_positions(codes)  # [C, L + 1]
    positions = np.full((len(item_ids), coded.shape[1]), NO_ITEM, dtype=np.int64)  # [N, L + 1]
    positions[found] = coded[index]
    largest = max(capacity, int(positions[:, -1].max()) + 1)
    tree = build_code_tree(positions[:, :-1], positions[:, -1], capacity=largest)
    if (tree.leaf_items >= 0).sum() < len(index):
        lost = np.setdiff1d(np.flatnonzero(found), tree.leaf_items)
        raise _wrong_position(
            item_ids, lost, "a leaf and slot of its own for every item", positions.tolist()
        )
    return tree


def _read_positions(codes: pa.Table) -> np.ndarray:
    """Path and slot of every row, [C, L + 1] int64, validated."""
    items = codes["item_id"].combine_chunks()
    paths = codes["path"].combine_chunks()
    lengths = paths.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)  # [C]
    most = np.bincount(lengths).argmax()
    ragged = np.flatnonzero((lengths != most) | (lengths == 0))
    if len(ragged):
        expected = f"{most or 'some'} codes in every path"
        raise _wrong_position(items, ragged, expected, paths.to_pylist())
    slots, flat = (
        column.fill_null(NO_ITEM).to_numpy(zero_copy_only=False).astype(np.int64)
        for column in (codes["slot"].combine_chunks(), paths.flatten())
    )
    positions = np.column_stack([flat.reshape(len(codes), -1), slots])  # [C, L + 1]
    negative = np.flatnonzero((positions < 0).any(axis=1))
    if len(negative):
        raise _wrong_position(items, negative, "codes and slots from 0 up", positions.tolist())
    return positions


def _wrong_position(
    items: pa.Array, rows: np.ndarray, expected: str, positions: Sequence[object]
) -> DataError:
    first = ", ".join(f"{items[row].as_py()} at {positions[row]}" for row in rows[:5].tolist())
    return DataError(
        "invalid tree positions",
        where="codes",
        expected=expected,
        found=f"{len(rows)} such items, the first are {first}",
        next_step="run build_trees for this day",
    )


def allowed_codes(tree: CodeTree, level: int, size: int) -> np.ndarray:
    """Mask of the codes that lead to an existing child, for every node of the level above.

    Args:
        tree: the tree.
        level: l.
        size: K_l, codes of the level.

    Returns:
        [nodes of level l − 1, K_l] bool.
    """
    starts = tree.child_start[level]
    parents = np.repeat(np.arange(len(starts) - 1), np.diff(starts))  # [nodes]
    allowed = np.zeros((len(starts) - 1, size), dtype=bool)
    allowed[parents, tree.codes[level]] = True
    return allowed
