"""Causal transformer over a behaviour sequence, shared by TreeBridge and the retrievers.

Shapes: B batch, T events, D width, H heads.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from grove.nn.embeddings import EventBatch, EventEmbedding, zero_embedding
from grove.nn.layers import FeedForward, SelfAttention

ENCODER_OPTIONS = ("width", "layers", "heads", "dropout")
"""Options of a training that become arguments of the encoder."""
FEED_FORWARD_FACTOR = 2
"""Hidden units of a feed-forward layer, as a multiple of D."""


class UserEncoder(nn.Module):
    """Causal transformer over the behaviour sequence; every position is a user state.

    Position t reads events up to t only. One pass over a history therefore trains on all its
    prefixes, which is sliding-window augmentation without copies.

    Source: TreeBridge, Implementation Details (1 layer, width 128, 8 heads; here settings).
    Deviations: pre-norm layers and the feed-forward factor, neither of which the paper states; no
    user features beside the history.

    Args:
        width: D.
        layers: transformer layers.
        heads: H.
        rows: rows of the event tables, and `positions`, the most events.
        dropout: probability.
    """

    def __init__(
        self, width: int, layers: int, *, heads: int, rows: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        self.context = EventEmbedding(width, rows)
        self.position = zero_embedding(rows["positions"] + 1, width)
        self.dropout = nn.Dropout(dropout)
        self.attention = nn.ModuleList(SelfAttention(width, heads, dropout) for _ in range(layers))
        self.feed_forward = nn.ModuleList(
            FeedForward(width, FEED_FORWARD_FACTOR, dropout=dropout, hidden_dropout=dropout)
            for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, batch: EventBatch, item_vectors: Tensor) -> Tensor:
        """Encode histories.

        Args:
            batch: right-padded histories; padding follows the events, so no event reads it.
            item_vectors: [B, T, D] of the events' items.

        Returns:
            [B, T, D], the user after each event.
        """
        length = item_vectors.shape[1]
        positions = torch.arange(1, length + 1, device=item_vectors.device)  # [T]
        states = item_vectors + self.context(batch) + self.position(positions)  # [B, T, D]
        states = self.dropout(states)
        for attention, feed_forward in zip(self.attention, self.feed_forward, strict=True):
            states = feed_forward(attention(states))
        encoded: Tensor = self.norm(states)
        return encoded
