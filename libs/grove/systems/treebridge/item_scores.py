"""Own scores of a tree's candidates: by the item-level loss, and the boost of cold-start items.

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
"""Candidates scored together: each copies its vector, 32 MiB in all at width 128."""


def weighs_items(saved: SavedModel) -> bool:
    """Whether a generator was trained with the item-level loss; earlier versions had none."""
    return saved.metadata.item_weight > 0


def weigh_items(
    trees: Mapping[str, Candidates], *, states: Tensor, keywords: Tensor, item_vectors: Tensor
) -> dict[str, Candidates]:
    """Multiply every candidate's probability by exp(state · item vector).

    Formula: log P'(item) = log P_tree(item) + h·e_item − max over the user's candidates.

    A tree's probability is a product of choices among few nodes; the own score compares an item
    with every other item. Their product ranks better than either. The result is not normalised:
    each user's scores are divided by one number, the same for all trees, so that exponentials stay
    finite. Users with a keyword keep the trees' probabilities, as the state ignores the keyword.

    Source: ours; `grove.systems.treebridge.objective` trains the score.

    Args:
        trees: candidates of the same U users, by tree.
        states: [U, D] user states.
        keywords: [U, E]; a row of zeros is no keyword.
        item_vectors: [N+1, D], row 0 no item.

    Returns:
        The same candidates with other log probabilities.
    """
    # A zero state gives every candidate the same score, which leaves the trees' order.
    states = states * ~keywords.any(dim=1, keepdim=True)
    scores = {name: _scores(found.rows, states, item_vectors) for name, found in trees.items()}
    largest = torch.cat(list(scores.values()), dim=1).amax(dim=1, keepdim=True)  # [U, 1]
    return {
        name: Candidates(found.rows, found.log_probabilities + scores[name] - largest)
        for name, found in trees.items()
    }


def boost_cold_items(
    trees: Mapping[str, Candidates], *, keywords: Tensor, cold_items: Tensor, bonus: float
) -> dict[str, Candidates]:
    """Add a bonus to the log-score of candidates without training interactions.

    An item without training interactions, new or old, occurred in training as a negative only, so
    it is ranked lower than its text and attributes predict. By how much differs from shop to shop;
    the bonus compensates, at the cost of the other items. Users with a keyword keep the trees'
    order: the value of a cold-start item for a query was not measured.

    Source: ours.

    Args:
        trees: candidates of the same U users, by tree.
        keywords: [U, E]; a row of zeros is no keyword.
        cold_items: [N+1] bool, row 0 no item: without training interactions.
        bonus: added to the log-score; 0 changes nothing.

    Returns:
        The same candidates with other log probabilities.
    """
    boost = bonus * ~keywords.any(dim=1, keepdim=True)  # [U, 1]
    return {
        name: Candidates(found.rows, found.log_probabilities + boost * cold_items[found.rows + 1])
        for name, found in trees.items()
    }


def _scores(rows: Tensor, states: Tensor, item_vectors: Tensor) -> Tensor:
    """Dot products of each user's state and candidates, [U, C]; 0 where there is none."""
    # Gathered vectors take C · D numbers per user, so few users are scored at once.
    users = max(CANDIDATES_AT_ONCE // max(rows.shape[1], 1), 1)
    pieces = zip(torch.split(rows + 1, users), torch.split(states, users), strict=True)
    return torch.cat(
        [
            (functional.embedding(few, item_vectors) @ state[..., None])[..., 0]
            for few, state in pieces
        ]
    )
