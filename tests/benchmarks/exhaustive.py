"""Reference of the beam search: every item scored, common prefixes decoded once.

Shapes: U users, τ leaf capacity, K_l codes of level l.
"""

from __future__ import annotations

import torch

from grove.systems.treebridge.beam import Candidates, PathScorer, StepType
from grove.systems.treebridge.search_tree import SearchTree

PATHS_PER_PIECE = 32_768
"""Leaves decoded at once, over all users; bounds memory."""


def exhaustive_search(
    scorer: PathScorer[StepType], tree: SearchTree, *, k: int, own: torch.Tensor | None = None
) -> Candidates:
    """Score every item, each node of the tree once per user, the leaves in pieces.

    Args:
        scorer: the model, for U users.
        tree: the existing paths.
        k: items kept per user.
        own: [U, N] scores of the items themselves, which a leaf's are added to; see
            `grove.systems.treebridge.item_scores`.

    Returns:
        The k most likely items of each user.
    """
    step, last = scorer.start(), len(tree.codes) - 1
    reached = torch.zeros(1, 1)  # [U, nodes]
    for level, (starts, codes) in enumerate(zip(tree.child_start, tree.codes, strict=True)):
        scores = scorer.code_scores(step, level)  # [U, nodes above, K_l]
        users = len(scores)
        parents = torch.arange(len(starts) - 1).repeat_interleave(starts.diff())  # [nodes]
        allowed = torch.zeros(scores.shape[1:], dtype=torch.bool)
        allowed[parents, codes] = True
        shares = scores.masked_fill(~allowed, -torch.inf).log_softmax(dim=-1)  # [U, …, K_l]
        reached = reached[:, parents] + shares[:, parents, codes]
        if level < last:
            step = scorer.follow(step, level, parents.expand(users, -1), codes.expand(users, -1))
    best = Candidates(torch.zeros(users, 0, dtype=torch.int64), torch.zeros(users, 0))
    for piece in torch.arange(len(codes)).split(max(PATHS_PER_PIECE // users, 1)):
        paths, last_codes = parents[piece].expand(users, -1), codes[piece].expand(users, -1)
        items = tree.leaf_items[piece].expand(users, -1, -1)  # [U, leaves, τ]
        scores = scorer.leaf_scores(scorer.follow(step, last, paths, last_codes), items)
        scores = scores.masked_fill(items < 0, -torch.inf).log_softmax(dim=-1)
        found = (reached[:, piece, None] + scores).flatten(1)
        if own is not None:
            found = found + own.gather(1, items.flatten(1).clamp_min(0))
        best = _better(best, Candidates(items.flatten(1), found), k)
    return best


def _better(one: Candidates, other: Candidates, k: int) -> Candidates:
    scores = torch.cat([one.log_probabilities, other.log_probabilities], dim=1)
    rows = torch.cat([one.rows, other.rows], dim=1)
    best, order = scores.topk(min(k, scores.shape[1]), dim=1)
    return Candidates(rows.gather(1, order), best)
