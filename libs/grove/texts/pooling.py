"""How the states of a text's tokens become one vector."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

Pooling: TypeAlias = Literal["mean", "last_token", "item_token"]

ITEM_TOKEN = "[ITEM]"
"""Stands after a text where a model was tuned to sum it up there."""


def pool(states: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """Reduce token states to one unit vector per text.

    `mean` suits encoders, `last_token` decoders as they are, `item_token` decoders tuned with
    `[ITEM]` at the end, which is then the last token. Padding stands on the right and never
    counts.

    Source: TreeBridge, Section "Item text and LLM embedding" (`item_token`).

    Args:
        states: [B, T, D] float, the last layer.
        mask: [B, T] int, 1 for tokens and 0 for padding; every row has a token.
        pooling: how to reduce.

    Returns:
        [B, D] float, each row of L2 norm 1.

    Example:
        >>> states = torch.tensor([[[3.0, 0.0], [0.0, 4.0], [9.0, 9.0]]])
        >>> pool(states, torch.tensor([[1, 1, 0]]), "last_token")
        tensor([[0., 1.]])
    """
    if pooling == "mean":
        weights = mask.unsqueeze(-1).to(states.dtype)  # [B, T, 1]
        vectors = (states * weights).sum(1) / weights.sum(1)  # [B, D]
    else:
        last = mask.sum(1) - 1  # [B]
        vectors = states[torch.arange(len(states)), last]  # [B, D]
    return torch.nn.functional.normalize(vectors, dim=-1)
