"""Pooling of a text's token states into one vector."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from torch import Tensor

Pooling: TypeAlias = Literal["mean", "last_token", "item_token"]

ITEM_TOKEN = "[ITEM]"
"""Last token of a text, for models tuned to summarise the text at this token."""


def pool(states: Tensor, pooling: Pooling) -> Tensor:
    """Reduce token states to one unit vector per text.

    `mean` suits encoders, `last_token` untuned decoders, and `item_token` decoders tuned with
    `[ITEM]` at the end, where it is the last token.

    Source: TreeBridge, Embedding Generation (`item_token`).

    Args:
        states: [B, T, D] float, last layer, without padding.
        pooling: method of reduction.

    Returns:
        [B, D] float, each row of L2 norm 1.

    Example:
        >>> pool(torch.tensor([[[3.0, 0.0], [0.0, 4.0]]]), "last_token")
        tensor([[0., 1.]])
    """
    vectors = states.mean(1) if pooling == "mean" else states[:, -1]  # [B, D]
    return torch.nn.functional.normalize(vectors, dim=-1)
