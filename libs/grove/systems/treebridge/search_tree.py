"""A code tree for the beam search, and its items that may be listed for each user.

Shapes: U users, C nodes or items looked up, N items, L levels, τ leaf capacity, E pairs of a user
and an item excluded for that user, Z emptied nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from grove.systems.treebridge.code_tree import CodeTree


@dataclass(frozen=True, kw_only=True)
class EligibleItems:
    """Items that may be listed for any user, and their number below every node."""

    items: Tensor
    """[N] bool: has a path, and passes the filter."""
    counts: tuple[Tensor, ...]
    """Per level, [nodes] int64: eligible items below each node."""
    has_empty: tuple[bool, ...]
    """Per level: whether a node has none."""


@dataclass(frozen=True, kw_only=True)
class SearchTree:
    """A `CodeTree` as tensors; fields as there."""

    child_start: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]
    item_nodes: Tensor
    leaf_items: Tensor
    placed: EligibleItems
    """Every item with a path."""


@dataclass(frozen=True, kw_only=True)
class LiveItems:
    """Items that may be listed for each of U users, and their number below every node."""

    eligible: EligibleItems
    """For any user."""
    excluded_items: Tensor
    """[E] int64 ascending: user · N + item, for every eligible item that is excluded for a user."""
    excluded_keys: tuple[Tensor, ...]
    """Per level, [E] int64 ascending: user · nodes + the node above such an item."""
    emptied: tuple[tuple[Tensor, Tensor], ...]
    """Per level, users [Z] and nodes [Z] where every eligible item of the node is excluded."""

    def below(self, level: int, nodes: Tensor) -> Tensor:
        """Number of items below nodes that may be listed: [U, C] nodes → [U, C] counts."""
        counts, keys = self.eligible.counts[level], self.excluded_keys[level]
        # Excluded items are few per user and nodes are many: a count per user and node would take
        # U · nodes numbers. Sorted keys take E, and two binary searches count a node's run.
        queries = _keys(nodes, len(counts))  # [U, C]
        excluded = torch.searchsorted(keys, queries, right=True) - torch.searchsorted(keys, queries)
        return counts[nodes] - excluded

    def allows(self, rows: Tensor) -> Tensor:
        """Whether items may be listed: [U, C] item rows (−1 none) → [U, C] bool."""
        items, excluded = self.eligible.items, self.excluded_items
        known = rows.clamp_min(0)  # [U, C]
        allowed = items[known] & (rows >= 0)
        if not len(excluded):
            return allowed
        queries = _keys(known, len(items))
        found = torch.searchsorted(excluded, queries).clamp_max(len(excluded) - 1)
        return allowed & (excluded[found] != queries)


def search_tree(tree: CodeTree) -> SearchTree:
    """Turn a tree into tensors, and count its items."""
    child_start = tuple(map(torch.from_numpy, tree.child_start))
    leaf_items = torch.from_numpy(tree.leaf_items)
    item_nodes = torch.from_numpy(tree.item_nodes)
    return SearchTree(
        child_start=child_start,
        codes=tuple(map(torch.from_numpy, tree.codes)),
        item_nodes=item_nodes,
        leaf_items=leaf_items,
        placed=_count_items(child_start, leaf_items, item_nodes[0] >= 0),
    )


def eligible_items(tree: SearchTree, eligible: np.ndarray | None) -> EligibleItems:
    """Count the eligible items below every node; done once for all users of a search.

    Args:
        tree: over N items.
        eligible: [N] bool, items that may be listed for any user; none: all.

    Returns:
        Those of them that have a path, counted.
    """
    if eligible is None:
        return tree.placed
    items = tree.placed.items & torch.from_numpy(eligible)  # [N]
    return _count_items(tree.child_start, tree.leaf_items, items)


def live_items(
    tree: SearchTree, eligible: EligibleItems, excluded: Sequence[np.ndarray]
) -> LiveItems:
    """Prepare the excluded items of some users for a search.

    Args:
        tree: over N items.
        eligible: items that may be listed for any user.
        excluded: U arrays of item rows that must not be listed for the user.

    Returns:
        The items that may be listed for these U users.
    """
    count = len(eligible.items)
    users = np.repeat(np.arange(len(excluded)), [len(rows) for rows in excluded])  # [E]
    rows = np.concatenate([np.zeros(0, np.int64), *excluded]).astype(np.int64)  # [E]
    pairs = torch.from_numpy(np.unique(users * count + rows))  # [E]
    # Ineligible items are counted nowhere: excluding them again would make counts negative.
    pairs = pairs[eligible.items[pairs % count]]
    keys = tuple(
        (pairs // count * len(below) + nodes[pairs % count]).sort().values
        for nodes, below in zip(tree.item_nodes, eligible.counts, strict=True)
    )
    return LiveItems(
        eligible=eligible,
        excluded_items=pairs,
        excluded_keys=keys,
        emptied=tuple(map(_emptied, keys, eligible.counts)),
    )


def _count_items(child_start: Sequence[Tensor], leaf_items: Tensor, items: Tensor) -> EligibleItems:
    """Count items, [N] bool, below every node, from the leaves upwards."""
    counted = functional.pad(items, (0, 1))  # [N+1]; −1, no item, is the last row
    counts = [counted[leaf_items].sum(dim=1)]  # [leaves]
    # Children of a node are neighbours, so a parent's count is a difference of running sums.
    for starts in reversed(child_start[1:]):
        before = functional.pad(counts[0].cumsum(dim=0), (1, 0))  # [nodes below, plus 1]
        counts.insert(0, before[starts[1:]] - before[starts[:-1]])
    return EligibleItems(
        items=items,
        counts=tuple(counts),
        has_empty=tuple(not bool(level.all()) for level in counts),
    )


def _emptied(keys: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """Users and nodes, [Z] each: all eligible items of the node are excluded for the user."""
    # A key occurs once per excluded item below the node, so it is emptied when the numbers agree.
    distinct, times = torch.unique(keys, return_counts=True)
    emptied = distinct[times == counts[distinct % len(counts)]]  # [Z]
    return emptied // len(counts), emptied % len(counts)


def _keys(values: Tensor, span: int) -> Tensor:
    """Combine user and value into one key, user · span + value: [U, C] → [U, C]."""
    return torch.arange(len(values))[:, None] * span + values
