"""Batched beam search over the existing paths of a code tree, with filters inside the beam.

Shapes: U users, W paths per user, C children, τ leaf capacity, K_l codes of level l, Z nodes that
are empty for a user.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from grove.systems.treebridge.search_tree import LiveItems, SearchTree

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
    beam, minimum = keep
    first = tree.child_start[level][frontier.nodes]  # [U, W]
    reached = _reached(frontier, scores, tree, level=level)  # [U, W, C]
    _close(reached, frontier, tree, live, level=level)
    children, reached = reached.shape[2], reached.flatten(1)  # [U, W·C]
    most = min(max(keep), reached.shape[1])  # every kept child has an item: no more are needed
    best, order = reached.topk(most, dim=1)  # [U, W']
    parents = order // children  # [U, W']
    nodes = first.gather(1, parents) + order % children  # [U, W']
    nodes = nodes.masked_fill(~best.isfinite(), 0)
    below = live.below(level, nodes)  # [U, W']
    enough = (below.cumsum(dim=1) - below >= minimum) & (torch.arange(most) >= beam)
    best = best.masked_fill(enough, -math.inf)
    width = max(int(best.isfinite().sum(dim=1).max()), 1) if len(best) else 1
    return _Frontier(
        nodes=nodes[:, :width], log_probabilities=best[:, :width], parents=parents[:, :width]
    )


def _reached(frontier: _Frontier, scores: Tensor, tree: SearchTree, *, level: int) -> Tensor:
    """Log P of every path's children, [U, W, C], in the order of their nodes; −∞ is padding."""
    starts = tree.child_start[level]
    first = starts[frontier.nodes]  # [U, W]
    degree = starts[frontier.nodes + 1] - first  # [U, W]
    # Where every code leads to a child, the scores are in the children's order already.
    if not degree.numel() or int(degree.min()) < scores.shape[2]:
        steps = torch.arange(int(degree.max()) if degree.numel() else 1)  # [C]
        present = steps < degree[..., None]  # [U, W, C]
        children = torch.where(present, first[..., None] + steps, 0)  # [U, W, C]
        scores = scores.gather(2, tree.codes[level][children]).masked_fill(~present, -math.inf)
    return frontier.log_probabilities[..., None] + scores.log_softmax(dim=-1)


def _close(
    reached: Tensor, frontier: _Frontier, tree: SearchTree, live: LiveItems, *, level: int
) -> None:
    """Put −∞ where no item is below a child that the user may get.

    Such children are few: looking up the few is cheaper than asking for each of the W·C children.
    """
    starts, counts = tree.child_start[level], live.eligible.counts[level]
    first = starts[frontier.nodes]  # [U, W]
    if live.eligible.has_empty[level]:
        children = first[..., None] + torch.arange(reached.shape[2])  # [U, W, C]
        reached.masked_fill_(counts[children.clamp_max(len(counts) - 1)] == 0, -math.inf)
    users, nodes = live.emptied[level]  # [Z]
    above = torch.searchsorted(starts, nodes, right=True) - 1  # [Z]
    found, paths = (frontier.nodes[users] == above[:, None]).nonzero().unbind(dim=1)
    users, nodes = users[found], nodes[found]
    reached[users, paths, nodes - first[users, paths]] = -math.inf
