"""Batched beam search over the existing paths of a code tree, with filters inside the beam.

Shapes: U users, W paths per user, C children, N items, τ leaf capacity, K_l codes of level l.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from grove.features.code_tree import CodeTree

StepType = TypeVar("StepType")


class PathScorer(Protocol[StepType]):
    """What the search asks a model; a step is whatever it remembers of [U, W] paths."""

    def start(self) -> StepType:
        """The empty path of every user, W = 1."""

    def code_scores(self, step: StepType, level: int) -> Tensor:
        """Unnormalised scores of the next code, [U, W, K_l]."""

    def follow(self, step: StepType, level: int, paths: Tensor, codes: Tensor) -> StepType:
        """Extend the paths chosen by `paths` [U, W'], positions in the step, by `codes` [U, W']."""

    def leaf_scores(self, step: StepType, leaf_items: Tensor) -> Tensor:
        """Unnormalised scores of the items of each path's leaf, [U, W, τ]."""


@dataclass(frozen=True, kw_only=True)
class SearchTree:
    """A `CodeTree` as tensors; fields as there."""

    child_start: tuple[Tensor, ...]
    codes: tuple[Tensor, ...]
    item_nodes: Tensor
    leaf_items: Tensor


@dataclass(frozen=True, kw_only=True)
class LiveItems:
    """Which items each user may get, and how many of them are below every node."""

    eligible: Tensor
    """[N] bool: items with a path that anyone may get."""
    counts: tuple[Tensor, ...]
    """Per level, [nodes] int64: eligible items below each node."""
    excluded_keys: tuple[Tensor, ...]
    """Per level, [E] int64 ascending: user · nodes + node of every item taken from a user."""
    excluded_items: Tensor
    """[E] int64 ascending: user · N + item."""

    def below(self, level: int, nodes: Tensor) -> Tensor:
        """Items below nodes that each user may get: [U, C] nodes → [U, C] counts."""
        counts = self.counts[level]
        return counts[nodes] - _occurrences(self.excluded_keys[level], nodes, len(counts))

    def allows(self, rows: Tensor) -> Tensor:
        """Whether each user may get items: [U, C] item rows (−1 none) → [U, C] bool."""
        wanted = self.eligible[rows.clamp_min(0)] & (rows >= 0)
        return wanted & (_occurrences(self.excluded_items, rows, len(self.eligible)) == 0)


@dataclass(frozen=True)
class Candidates:
    """Items found for each user, in no order.

    Args:
        rows: [U, C] int64 item rows; −1 where there is none.
        log_probabilities: [U, C] float, log P(item | user); −∞ where there is none.
    """

    rows: Tensor
    log_probabilities: Tensor


@dataclass(frozen=True, kw_only=True)
class _Frontier:
    nodes: Tensor
    """[U, W] int64, node of each path at the level reached."""
    log_probabilities: Tensor
    """[U, W], −∞ for a path that is not kept."""
    parents: Tensor
    """[U, W] int64, position of the path it extends."""


def search_tree(tree: CodeTree) -> SearchTree:
    """Turn a tree into tensors."""
    return SearchTree(
        child_start=tuple(map(torch.from_numpy, tree.child_start)),
        codes=tuple(map(torch.from_numpy, tree.codes)),
        item_nodes=torch.from_numpy(tree.item_nodes),
        leaf_items=torch.from_numpy(tree.leaf_items),
    )


def live_items(
    tree: SearchTree, eligible: np.ndarray | None, excluded: Sequence[np.ndarray]
) -> LiveItems:
    """Count the eligible items below every node, and note what is taken from whom.

    Args:
        tree: over N items.
        eligible: [N] bool, items anyone may get; none: all.
        excluded: U arrays of item rows that the user must not get.

    Returns:
        Counts for `beam_search` of these U users.
    """
    placed = tree.item_nodes[0] >= 0  # [N]
    live = placed if eligible is None else placed & torch.from_numpy(eligible)
    items = len(live)
    users = np.repeat(np.arange(len(excluded)), [len(rows) for rows in excluded])  # [E]
    rows = np.concatenate([np.zeros(0, np.int64), *excluded]).astype(np.int64)  # [E]
    pairs = torch.from_numpy(np.unique(users * items + rows))  # [E]
    pairs = pairs[live[pairs % items]]
    nodes = [level[live] for level in tree.item_nodes]  # L x [live]
    return LiveItems(
        eligible=live,
        counts=tuple(
            torch.bincount(below, minlength=len(codes))
            for below, codes in zip(nodes, tree.codes, strict=True)
        ),
        excluded_keys=tuple(
            (pairs // items * len(codes) + level[pairs % items]).sort().values
            for level, codes in zip(tree.item_nodes, tree.codes, strict=True)
        ),
        excluded_items=pairs,
    )


def beam_search(
    scorer: PathScorer[StepType], tree: SearchTree, live: LiveItems, *, beam: int, minimum: int
) -> Candidates:
    """Find likely items, level by level, all users at once.

    Of a level's children the `beam` most likely are kept, and as many more as it takes to have
    `minimum` items below them. Children without an item the user may get are never kept. So a
    user with at least `minimum` such items in the tree gets at least `minimum` candidates, at any
    beam width; and with a beam as wide as the tree the search is exhaustive.

    Probabilities are those of the unfiltered tree: a filter takes items out, it does not change
    the others' scores.

    Source: TreeBridge, Tree Encoder Generation, on beam search; the filters in the beam are ours.

    Args:
        scorer: the model, for U users.
        tree: the existing paths.
        live: what the same U users may get.
        beam: most likely paths kept per level.
        minimum: candidates every user gets if there are as many.

    Returns:
        Every allowed item of the leaves reached.
    """
    step = scorer.start()
    frontier: _Frontier | None = None
    for level in range(len(tree.codes)):
        scores = scorer.code_scores(step, level)  # [U, W, K_l]
        frontier = frontier or _root(scores)
        frontier = _expand(frontier, scores, tree, live, level=level, keep=(beam, minimum))
        codes = tree.codes[level][frontier.nodes]  # [U, W]
        step = scorer.follow(step, level, frontier.parents, codes)
    assert frontier is not None
    items = tree.leaf_items[frontier.nodes]  # [U, W, τ]
    scores = scorer.leaf_scores(step, items).masked_fill(items < 0, -math.inf)
    found = frontier.log_probabilities[..., None] + scores.log_softmax(dim=-1)  # [U, W, τ]
    rows, found = items.flatten(1), found.flatten(1)  # [U, W·τ]
    allowed = live.allows(rows) & found.isfinite()
    return Candidates(rows.masked_fill(~allowed, -1), found.masked_fill(~allowed, -math.inf))


def _root(scores: Tensor) -> _Frontier:
    users = scores.shape[0]
    zeros = torch.zeros(users, 1, dtype=torch.int64)  # [U, 1]
    return _Frontier(
        nodes=zeros, log_probabilities=torch.zeros(users, 1, dtype=scores.dtype), parents=zeros
    )


def _expand(
    frontier: _Frontier,
    scores: Tensor,
    tree: SearchTree,
    live: LiveItems,
    *,
    level: int,
    keep: tuple[int, int],
) -> _Frontier:
    """Best children of the paths of a level."""
    children, present = _children(tree.child_start[level], frontier.nodes)  # [U, W, C]
    reached = scores.gather(2, tree.codes[level][children])  # [U, W, C]
    reached = reached.masked_fill(~present, -math.inf).log_softmax(dim=-1)
    reached = (frontier.log_probabilities[..., None] + reached).flatten(1)  # [U, W·C]
    nodes = children.flatten(1)  # [U, W·C]
    below = live.below(level, nodes).masked_fill(~reached.isfinite(), 0)  # [U, W·C]
    reached = reached.masked_fill(below == 0, -math.inf)
    most = min(max(keep), nodes.shape[1])  # every kept child has an item, so no more are needed
    best, order = reached.topk(most, dim=1)  # [U, W']
    below = below.gather(1, order)
    enough = (below.cumsum(dim=1) - below >= keep[1]) & (torch.arange(most) >= keep[0])
    best = best.masked_fill(enough, -math.inf)
    width = max(int(best.isfinite().sum(dim=1).max()), 1) if len(best) else 1
    order = order[:, :width]
    return _Frontier(
        nodes=nodes.gather(1, order),
        log_probabilities=best[:, :width],
        parents=order // children.shape[2],
    )


def _children(starts: Tensor, nodes: Tensor) -> tuple[Tensor, Tensor]:
    """Children of nodes, padded to the most any of them has.

    Returns:
        [U, W, C] int64 nodes of the level below, and [U, W, C] bool, false for padding.
    """
    first, degree = starts[nodes], starts[nodes + 1] - starts[nodes]  # [U, W]
    steps = torch.arange(int(degree.max()) if degree.numel() else 1)  # [C]
    present = steps < degree[..., None]  # [U, W, C]
    return torch.where(present, first[..., None] + steps, 0), present


def _occurrences(keys: Tensor, values: Tensor, span: int) -> Tensor:
    """How often user · span + value stands in ascending keys: [U, C] → [U, C]."""
    users = torch.arange(len(values))[:, None]  # [U, 1]
    wanted = users * span + values.clamp_min(0)  # [U, C]
    return torch.searchsorted(keys, wanted, right=True) - torch.searchsorted(keys, wanted)
