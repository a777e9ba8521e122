"""Surprise of a generator at an item: code by code along the item's path, then inside its leaf.

Shapes: P predictions, L levels, K_l codes of level l, τ leaf capacity, D width, E keyword width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from grove.systems.treebridge.decoder import CodeDecoder


@dataclass(frozen=True, kw_only=True)
class PathTargets:
    """Where P items stand in one tree."""

    paths: Tensor
    """[P, L] int64 codes."""
    allowed: tuple[Tensor, ...]
    """Per level, [P, K_l] bool: codes that lead from the item's parent node to a child."""
    leaf_vectors: Tensor
    """[P, τ, D] vectors of the items in the item's leaf, by slot."""
    occupied: Tensor
    """[P, τ] bool: slots that hold an item."""
    slots: Tensor
    """[P] int64, the item's own slot."""


def path_loss(
    decoder: CodeDecoder, states: Tensor, keywords: Tensor, targets: PathTargets
) -> Tensor:
    """−log P(item | user, keyword): the sum of the levels' and the leaf's cross-entropies.

    Each softmax runs over the existing children of the node it is at, not over all K_l codes: the
    probabilities of all items then sum to one, and the beam search, which visits existing paths
    only, ranks by exactly what was trained.

    Source: TreeBridge, equation 1. Ours: the softmax over existing children, and the leaf's step.

    Args:
        decoder: of the tree.
        states: [P, D] user states.
        keywords: [P, E]; a row of zeros is no keyword.
        targets: of the same tree.

    Returns:
        [P], at least 0, in nats.
    """
    outputs = decoder(states, keywords, targets.paths)  # [P, L+1, D]
    total = torch.zeros(len(states), dtype=states.dtype, device=states.device)  # [P]
    prefixes = torch.zeros_like(targets.paths[:, 0])  # [P]
    for level, allowed in enumerate(targets.allowed):
        codes = targets.paths[:, level]  # [P]
        logits = decoder.level_logits(outputs[:, level], prefixes, level)  # [P, K_l]
        total = total + masked_cross_entropy(logits, allowed, codes)
        prefixes = decoder.append_code(prefixes, level, codes)
    leaf_logits = decoder.leaf_logits(outputs[:, -1], targets.leaf_vectors)  # [P, τ]
    return total + masked_cross_entropy(leaf_logits, targets.occupied, targets.slots)


def masked_cross_entropy(logits: Tensor, allowed: Tensor, targets: Tensor) -> Tensor:
    """Surprise of each row's target among the allowed columns.

    Args:
        logits: [P, C].
        allowed: [P, C] bool; the target's column is allowed.
        targets: [P] int64.

    Returns:
        [P], at least 0.

    Example:
        >>> logits = torch.zeros(1, 3)
        >>> allowed = torch.tensor([[True, True, False]])
        >>> round(masked_cross_entropy(logits, allowed, torch.tensor([0])).item(), 4)  # ln 2
        0.6931
    """
    masked = logits.masked_fill(~allowed, -math.inf)  # [P, C]
    return functional.cross_entropy(masked, targets, reduction="none")
