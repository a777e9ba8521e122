"""STARS: a causal transformer over semantic item tokens, pooled at two positions.

Notable features:
- item token = frozen text vector + learned offset Δ, beside attributes; new items have Δ = 0;
- candidate weights e_k are tied to the item tokens;
- two user vectors, h_next at the last item and h_gen at [USER];
- one [USER] per cut and a mask without leaks, so every position is trained in one pass.
Not built: context offsets (§4.4), logistic negatives (eq. 5), the auxiliary loss (§4.3), same-page
negatives, tags of a language model; see README.md.

Shapes: B batch, T events, P cuts, M items, A attributes, D width, E text width, S = T + P.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from grove.features.ids import SECONDS_PER_DAY
from grove.nn.embeddings import (
    AttributeEmbedding,
    EventBatch,
    EventEmbedding,
    at_cuts,
    known_rows,
    zero_embedding,
)
from grove.nn.layers import FeedForward, SelfAttention
from grove.systems.stars.user_vectors import UserVectors

FEED_FORWARD_FACTOR = 4
"""Hidden units of a feed-forward layer, as a multiple of D; the paper's is 3072/672, about 4.57."""
ATTRIBUTE_SHARE = 2
"""Divisor of D that gives the width of the attribute part of a token: D // 2."""
USER_NUMBERS = 2
"""Numeric features of the [USER] token: events so far, and days they span, both logarithmic."""


class ItemToken(nn.Module):
    """An item's vector: projection of [e_llm + Δ_i ; W_attr · t_i] to the serving width.

    The same vector is the input token and the candidate weight e_k: they are tied.

    Source: STARS §4.1. Deviations: the paper keeps the concatenated width (672) throughout; here a
    linear map takes it to D, a setting, so that the model also fits two cores. t_i are attributes
    of the catalogue, not tags of a language model; g_attr is linear.

    Args:
        width: D.
        text_width: E.
        rows: rows of the tables `items` and `attributes`.
    """

    def __init__(self, width: int, text_width: int, rows: Mapping[str, int]) -> None:
        super().__init__()
        attribute_width = width // ATTRIBUTE_SHARE
        self.offsets = zero_embedding(rows["items"], text_width)
        self.attributes = AttributeEmbedding(attribute_width, rows["attributes"])
        self.projection = nn.Linear(text_width + attribute_width, width)

    def forward(self, ids: Tensor, attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items.

        Args:
            ids: [M] int64 rows of the vocabulary; an unknown item has Δ = 0.
            attributes: [M, A] int64, 0-padded.
            text: [M, E] float, unit norm.

        Returns:
            [M, D], not normalised.
        """
        semantic = text + self.offsets(known_rows(ids))  # [M, E]
        vectors: Tensor = self.projection(torch.cat([semantic, self.attributes(attributes)], -1))
        return vectors  # [M, D]


class UserToken(nn.Module):
    """The [USER] token at a cut, from features of the user at that moment.

    Source: STARS §4.1, the mixed encoder: numbers through a linear layer, categories through
    tables. The paper concatenates the parts and projects them; a sum of linear maps is the same
    function. Deviation: the features are events and days so far, region and device.

    Args:
        width: D.
        rows: rows of the tables `regions` and `devices`.
    """

    def __init__(self, width: int, rows: Mapping[str, int]) -> None:
        super().__init__()
        self.numbers = nn.Linear(USER_NUMBERS, width)
        self.region = zero_embedding(rows["regions"], width)
        self.device = zero_embedding(rows["devices"], width)

    def forward(self, batch: EventBatch, cuts: Tensor) -> Tensor:
        """Build the tokens of [B, P] cuts: [B, P, D]."""
        span = at_cuts(batch.times, cuts) - batch.times[:, :1]  # [B, P] seconds
        days = span.clamp_min(0) / SECONDS_PER_DAY
        numbers = torch.stack([(cuts + 1.0).log(), (days + 1.0).log()], dim=-1)  # [B, P, 2]
        token: Tensor = (
            self.numbers(numbers)
            + self.region(at_cuts(batch.fields["regions"], cuts))
            + self.device(at_cuts(batch.fields["devices"], cuts))
        )
        return token


class Stars(nn.Module):
    """The encoder with its two pools: h_next at an item, h_gen at [USER].

    *Leak trap.* If [USER] reads all items and items read [USER], then with two layers position t
    sees positions after t through it. Here items never read [USER], and there is one [USER] per
    cut, which reads itself and the items up to its cut. All positions of a history can therefore be
    trained in one pass, for both pools, and changing an event changes no earlier output. The price,
    compared with the paper, is that items do not see the user's features.

    Source: STARS §4.2. Deviations: pre-norm layers; the feed-forward factor; the projection in
    `ItemToken`; the mask; linear heads of the encoder's own width; no context offsets (STARS §4.4)
    yet, see decision 0004.

    Args:
        width: D, of the encoder and of the served vectors.
        layers: transformer layers.
        heads: attention heads; a divisor of D.
        text_width: E.
        rows: rows of every table by field of the vocabulary, and `positions`, the most events.
        dropout: probability.
    """

    def __init__(
        self,
        width: int,
        layers: int,
        *,
        heads: int,
        text_width: int,
        rows: Mapping[str, int],
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.items = ItemToken(width, text_width, rows)
        self.context = EventEmbedding(width, rows)
        self.position = zero_embedding(rows["positions"] + 1, width)
        self.user = UserToken(width, rows)
        self.dropout = nn.Dropout(dropout)
        self.attention = nn.ModuleList(SelfAttention(width, heads, dropout) for _ in range(layers))
        self.feed_forward = nn.ModuleList(
            FeedForward(width, FEED_FORWARD_FACTOR, dropout=dropout) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.next_head = nn.Linear(width, width)
        self.general_head = nn.Linear(width, width)

    def forward(self, batch: EventBatch, item_vectors: Tensor, cuts: Tensor) -> UserVectors[Tensor]:
        """Encode histories.

        Args:
            batch: histories.
            item_vectors: [B, T, D] of the events' items, from `self.items`.
            cuts: [B, P] int64, the last event that each [USER] token may read.

        Returns:
            h_next [B, T, D], meaningful where there is an event; h_gen [B, P, D].
        """
        length = item_vectors.shape[1]
        positions = torch.arange(1, length + 1, device=cuts.device)  # [T]
        tokens = item_vectors + self.context(batch) + self.position(positions)  # [B, T, D]
        states = torch.cat([tokens, self.user(batch, cuts)], dim=1)  # [B, S, D]
        states = self.dropout(states)
        allowed = attention_mask(cuts, length)  # [B, 1, S, S]
        for attention, feed_forward in zip(self.attention, self.feed_forward, strict=True):
            states = feed_forward(attention(states, allowed))
        states = self.norm(states)  # [B, S, D]
        return UserVectors(
            h_next=self.next_head(states[:, :length]), h_gen=self.general_head(states[:, length:])
        )


def attention_mask(cuts: Tensor, length: int) -> Tensor:
    """Attention mask: items are causal, [USER] reads the items up to its cut and itself.

    Rows read columns. Three items i, and a [USER] u for each of the cuts 1 and 2:

               i₀ i₁ i₂ u₁ u₂
           i₀   x  .  .  .  .
           i₁   x  x  .  .  .      items: causal, never [USER]
           i₂   x  x  x  .  .
           u₁   x  x  .  x  .      [USER] of a cut: the items up to it and itself,
           u₂   x  x  x  .  x      never another [USER]

    Padding follows the events, so no event reads it.

    Args:
        cuts: [B, P] int64.
        length: T.

    Returns:
        [B, 1, T+P, T+P] bool, true where the row may read the column.

    Example:
        >>> attention_mask(torch.tensor([[0]]), 2)[0, 0].int().tolist()
        [[1, 0, 0], [1, 1, 0], [1, 0, 1]]
    """
    batch, users = cuts.shape
    columns = torch.arange(length, device=cuts.device)  # [T]
    mask = torch.zeros(batch, length + users, length + users, dtype=torch.bool, device=cuts.device)
    mask[:, :length, :length] = columns <= columns[:, None]
    mask[:, length:, :length] = columns <= cuts[..., None]
    mask[:, length:, length:] = torch.eye(users, dtype=torch.bool, device=cuts.device)
    return mask[:, None]
