"""Batched beam search over the existing paths of a code tree, with filters inside the beam.

Shapes: U users, W paths per user, C children per path, τ leaf capacity, K_l codes of level l,
Z pairs of a user and a node with no item left for that user.
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
    """Interface of the model; a step is the model's state of [U, W] paths."""

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
class BeamWidth:
    """Number of paths that a level keeps."""

    beam: int
    """Most likely paths kept per user."""
    minimum: int
    """Items that must stay reachable below the kept paths, if the user may get as many."""

    @property
    def most(self) -> int:
        """Most paths that can be kept: every kept path leads to an item, so `minimum` suffice."""
        return max(self.beam, self.minimum)


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

    A level keeps the `beam` most likely children, and more until `minimum` allowed items are below
    the kept ones. Children without an allowed item are never kept. A user with at least `minimum`
    allowed items in the tree therefore gets at least `minimum` candidates at any beam width; with
    a beam as wide as the tree the search is exhaustive.

    Probabilities are those of the unfiltered tree: a filter removes items and leaves the scores of
    the others unchanged.

    Source: TreeBridge, Tree Encoder Generation, on beam search; the filters in the beam are ours.

    Args:
        scorer: the model, for U users.
        tree: the existing paths.
        live: items that the same U users may get.
        beam: most likely paths kept per level.
        minimum: least number of candidates per user, if as many items are allowed.

    Returns:
        Every allowed item of the leaves reached.
    """
    width = BeamWidth(beam=beam, minimum=minimum)
    step = scorer.start()
    frontier: _Frontier | None = None
    for level in range(len(tree.codes)):
        scores = scorer.code_scores(step, level)  # [U, W, K_l]
        frontier = frontier or _root(scores)
        frontier = _expand(frontier, scores, tree, live, level=level, width=width)
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
    width: BeamWidth,
) -> _Frontier:
    """Best children of the paths of a level."""
    first = tree.child_start[level][frontier.nodes]  # [U, W]
    reached = _reached(frontier, scores, tree, level=level)  # [U, W, C]
    _close(reached, frontier, tree, live, level=level)
    children, reached = reached.shape[2], reached.flatten(1)  # [U, W·C]
    most = min(width.most, reached.shape[1])
    # One top-k over the children of all of a user's paths: paths compete with each other, not
    # only with their siblings, so a likely parent may keep many children and another none.
    best, order = reached.topk(most, dim=1)  # [U, W']
    parents = order // children  # [U, W']
    nodes = first.gather(1, parents) + order % children  # [U, W']
    # Users with few allowed items fill up with closed children: any valid node will do for them,
    # because their log probability of −∞ keeps them out of every later result.
    nodes = nodes.masked_fill(~best.isfinite(), 0)
    # Beyond the beam a child is kept only while the likelier ones lead to too few allowed items.
    # `below` counts per user, so a user with many excluded items keeps more paths than others.
    below = live.below(level, nodes)  # [U, W']
    enough = (below.cumsum(dim=1) - below >= width.minimum) & (torch.arange(most) >= width.beam)
    best = best.masked_fill(enough, -math.inf)
    # Finite values are sorted to the front, so the users' widest row bounds the next level's work.
    kept = max(int(best.isfinite().sum(dim=1).max()), 1) if len(best) else 1
    return _Frontier(
        nodes=nodes[:, :kept], log_probabilities=best[:, :kept], parents=parents[:, :kept]
    )


def _reached(frontier: _Frontier, scores: Tensor, tree: SearchTree, *, level: int) -> Tensor:
    """Log P of every path's children, [U, W, C], in the order of their nodes; −∞ is padding."""
    starts = tree.child_start[level]
    first = starts[frontier.nodes]  # [U, W]
    degree = starts[frontier.nodes + 1] - first  # [U, W]
    # In a complete tree every code leads to a child: the scores are in the children's order
    # already, and the gather below, the largest copy of the search, is skipped.
    if not degree.numel() or int(degree.min()) < scores.shape[2]:
        steps = torch.arange(int(degree.max()) if degree.numel() else 1)  # [C]
        present = steps < degree[..., None]  # [U, W, C]
        children = torch.where(present, first[..., None] + steps, 0)  # [U, W, C]
        scores = scores.gather(2, tree.codes[level][children]).masked_fill(~present, -math.inf)
    return frontier.log_probabilities[..., None] + scores.log_softmax(dim=-1)


def _close(
    reached: Tensor, frontier: _Frontier, tree: SearchTree, live: LiveItems, *, level: int
) -> None:
    """Put −∞ where a child has no item that the user may get.

    Such children are few: looking up the few is cheaper than testing each of the W·C children.
    """
    starts, counts = tree.child_start[level], live.eligible.counts[level]
    first = starts[frontier.nodes]  # [U, W]
    # Nodes that are empty for all users: one comparison per child, needed only after a filter.
    if live.eligible.has_empty[level]:
        children = first[..., None] + torch.arange(reached.shape[2])  # [U, W, C]
        reached.masked_fill_(counts[children.clamp_max(len(counts) - 1)] == 0, -math.inf)
    # Nodes that are empty for one user, because all of their items are excluded for that user.
    # `starts` ascends, so a binary search finds the parent of each such node.
    users, nodes = live.emptied[level]  # [Z]
    above = torch.searchsorted(starts, nodes, right=True) - 1  # [Z]
    # Keep those whose parent is on the user's frontier, and note which of its paths that is.
    found, paths = (frontier.nodes[users] == above[:, None]).nonzero().unbind(dim=1)
    users, nodes = users[found], nodes[found]
    reached[users, paths, nodes - first[users, paths]] = -math.inf
