"""Losses of the retrieval models: in-batch softmax, candidate softmax, later window.

Shapes: M pairs, C candidates, W window, D width. Every loss is per row, in nats; callers weight
and sum. Each has a reference implementation in the tests.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

NO_TARGET = -1


def in_batch_softmax_loss(
    user_vectors: Tensor,
    item_vectors: Tensor,
    *,
    items: Tensor,
    log_frequency: Tensor,
    temperature: float,
) -> Tensor:
    """In-batch softmax cross-entropy with logQ correction.

    Formula: −log(exp(s_ii) / Σ_j exp(s_ij)) with s_ij = u_i·v_j / τ − log q_j, over the j that are
    i or hold another item than i.

    Row i of both inputs is one observed (user, item) pair; the other rows' items are negatives. An
    item is drawn as a negative in proportion to its popularity, which would penalise popular items:
    the log sampling frequency q is subtracted from each logit. An item that occurs twice in the
    batch is no negative for its own users.

    Source: "Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations"
    (RecSys 2019), §3, for the correction; the masking of accidental hits is ours.

    Args:
        user_vectors: [M, D], unit norm.
        item_vectors: [M, D], unit norm.
        items: [M] int64, the item behind each row.
        log_frequency: [M], logarithm of the share of positives that are this item.
        temperature: positive, no unit; smaller is sharper.

    Returns:
        [M], at least 0.

    Example:
        >>> pair = torch.eye(2)
        >>> even = torch.full((2,), 0.5).log()
        >>> loss = in_batch_softmax_loss(
        ...     pair, pair, items=torch.tensor([7, 8]), log_frequency=even, temperature=1.0
        ... )
        >>> [round(value, 4) for value in loss.tolist()]  # ln(1 + 1/e)
        [0.3133, 0.3133]
    """
    scores = user_vectors @ item_vectors.T / temperature - log_frequency  # [M, M]
    repeated = items[:, None] == items  # [M, M]
    repeated.fill_diagonal_(fill_value=False)
    scores = scores.masked_fill(repeated, -math.inf)
    own = torch.arange(len(items), device=items.device)  # [M]
    return functional.cross_entropy(scores, own, reduction="none")


def log_popularity(counts: Tensor, *, smoothing: float = 1.0) -> Tensor:
    """Logarithm of each item's smoothed share of the training positives.

    Formula: log π_k with π_k = (c_k + α) / (Σ c + α·|I|).

    Source: STARS §4.3, equation 2.

    Args:
        counts: [N], positives per item.
        smoothing: α, positive.

    Returns:
        [N], log π, below 0; its exponentials sum to 1.
    """
    smoothed = counts.to(torch.get_default_dtype()) + smoothing
    return (smoothed / smoothed.sum()).log()


def candidate_softmax_loss(
    states: Tensor, candidates: Tensor, *, targets: Tensor, bias: Tensor
) -> Tensor:
    """Cross-entropy of the target among candidates that all rows share.

    Formula: −log(exp(z_j) / Σ_{k in C} exp(z_k)) with z_k = h·e_k + b_k.

    Source: STARS §4.3, equations 1, 3 and 4. Deviation: one candidate set for all rows.

    Args:
        states: [M, D], h_next.
        candidates: [C, D], item vectors e_k, tied to the input tokens.
        targets: [M] int64, each row's index among the candidates.
        bias: [C], b_k, fixed.

    Returns:
        [M], at least 0.
    """
    logits = torch.addmm(bias, states, candidates.T)  # [M, C]
    return functional.cross_entropy(logits, targets, reduction="none")


def window_softmax_loss(
    states: Tensor, candidates: Tensor, *, targets: Tensor, bias: Tensor
) -> Tensor:
    """Mean cross-entropy of all items of the user's later window.

    Formula: −(1/|W|) Σ_{j in W} log(exp(z_j) / Σ_{k in C} exp(z_k)) with z_k = h·e_k + b_k.

    h_gen describes interests over some time, not the next item; its target is therefore the uniform
    distribution over the window. The paper trains h_next only and gives h_gen no loss.

    Source: STARS §4.3, equation 4, with several targets; the window is ours.

    Args:
        states: [M, D], h_gen.
        candidates: [C, D].
        targets: [M, W] int64 indices among the candidates; −1 where the window is shorter.
        bias: [C], b_k.

    Returns:
        [M]; 0 where the window is empty.
    """
    log_share = torch.addmm(bias, states, candidates.T).log_softmax(dim=1)  # [M, C]
    present = targets != NO_TARGET  # [M, W]
    losses = -log_share.gather(1, targets.clamp_min(0)) * present  # [M, W]
    return losses.sum(1) / present.sum(1).clamp_min(1)


def sampling_correction(candidates: int, sampled: int, catalogue: int) -> float:
    """Correction of a sampled negative's logit for the items that were not drawn.

    Formula: ln((catalogue − candidates) / sampled), minus the log of the sampling probability.

    Some items are always candidates (those of the batch); of the rest a uniform sample is drawn.
    With the correction the softmax's denominator is unbiased.

    Args:
        candidates: items that are always candidates.
        sampled: items drawn from the others.
        catalogue: all items.

    Returns:
        ln((catalogue − candidates) / sampled); 0 when everything was drawn.

    Example:
        >>> round(sampling_correction(candidates=10, sampled=9, catalogue=100), 4)
        2.3026
    """
    return math.log((catalogue - candidates) / sampled) if sampled else 0.0
