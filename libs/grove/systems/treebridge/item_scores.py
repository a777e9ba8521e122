"""What a generator that has learnt items as themselves says of a tree's candidates.

Shapes: U users, C candidates, N items, D width, E keyword width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from grove.features.model_folder import SavedModel
from grove.systems.treebridge.beam import Candidates

CANDIDATES_AT_ONCE = 65_536
"""Candidates scored together: each takes a copy of its vector, 32 MiB in all at 128 wide."""


def weighs_items(saved: SavedModel) -> bool:
    """Whether a generator has learnt items as themselves; weights of earlier versions have not."""
    return saved.metadata.item_weight > 0


def weigh_items(
    trees: Mapping[str, Candidates], *, states: Tensor, keywords: Tensor, item_vectors: Tensor
) -> dict[str, Candidates]:
    """Multiply every candidate's probability by exp(state · item vector).

    A tree's probability is a product of choices among few; the item's own score compares it with
    every other item. Their product ranks better than either. It is no probability any more: each
    user's are divided by one number, the same for all trees. Whoever gave a keyword keeps the
    trees' probabilities: the state knows the history alone.

    Source: ours; see `grove.systems.treebridge.objective` for what teaches the score.

    Args:
        trees: candidates of the same U users, by tree.
        states: [U, D] user states.
        keywords: [U, E]; a row of zeros is no keyword.
        item_vectors: [N+1, D], row 0 no item.

    Returns:
        The same candidates with other log probabilities.
    """
    states = states * ~keywords.any(dim=1, keepdim=True)
    scores = {name: _scores(found.rows, states, item_vectors) for name, found in trees.items()}
    largest = torch.cat(list(scores.values()), dim=1).amax(dim=1, keepdim=True)  # [U, 1]
    return {
        name: Candidates(found.rows, found.log_probabilities + scores[name] - largest)
        for name, found in trees.items()
    }


def boost_cold_items(
    trees: Mapping[str, Candidates], *, keywords: Tensor, untaken: Tensor, bonus: float
) -> dict[str, Candidates]:
    """Multiply the probability of every candidate that nobody had in training by e to a bonus.

    The weights never saw anybody take such an item, new or of long ago, so that it is ranked below
    what its text and attributes deserve. How much below differs from shop to shop; the bonus says
    how much is given back, and the other items pay for it. Whoever gave a keyword keeps the trees'
    order: it was not learnt how much an item nobody had is worth to a query.

    Source: ours.

    Args:
        trees: candidates of the same U users, by tree.
        keywords: [U, E]; a row of zeros is no keyword.
        untaken: [N+1] bool, row 0 no item: nobody had it in what the weights learnt.
        bonus: added to the logarithm; 0 changes nothing.

    Returns:
        The same candidates with other log probabilities.
    """
    favour = bonus * ~keywords.any(dim=1, keepdim=True)  # [U, 1]
    return {
        name: Candidates(found.rows, found.log_probabilities + favour * untaken[found.rows + 1])
        for name, found in trees.items()
    }


def _scores(rows: Tensor, states: Tensor, item_vectors: Tensor) -> Tensor:
    """Dot products of each user's state and candidates, [U, C]; 0 where there is none."""
    users = max(CANDIDATES_AT_ONCE // max(rows.shape[1], 1), 1)
    pieces = zip(torch.split(rows + 1, users), torch.split(states, users), strict=True)
    return torch.cat(
        [
            (functional.embedding(few, item_vectors) @ state[..., None])[..., 0]
            for few, state in pieces
        ]
    )
