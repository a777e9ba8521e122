"""DSSM: a user tower and an item tower with a cosine score; it gives items their CF vectors.

Notable features:
- the item tower reads text, attributes and an id offset, so new items have vectors;
- users are encoded at any position of a history, from the events up to it;
- both towers end in unit vectors.
Not built: letter trigrams, the paper's deeper towers, user features; see README.md.

Shapes: B batch, T events, P positions, M items, A attributes, D width, E text width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from grove.nn.embeddings import (
    ID_ONLY,
    AttributeEmbedding,
    EventBatch,
    EventEmbedding,
    at_cuts,
    id_embedding,
    known_rows,
    zero_embedding,
)


class ItemTower(nn.Module):
    """An item's vector from its text, attributes and id.

    An id's vector is the learned "unknown" vector plus an offset that starts at zero. An item
    without interactions, in training or later, has the unknown vector; weight decay pulls the
    vectors of known items towards it.

    Source: TreeBridge, "Feedback-based Embeddings", after Huang et al. (CIKM 2013), §3.1.
    Deviations: item features and the unknown id; one residual layer.

    Args:
        width: D.
        text_width: E.
        rows: rows of the tables `items` and `attributes`.
        item_input: `features`, or `id`: an id embedding with random initial values replaces text
            and attributes; an unknown item has no vector of its own.
    """

    def __init__(
        self, width: int, text_width: int, rows: Mapping[str, int], item_input: str = "features"
    ) -> None:
        super().__init__()
        self.id_only = ID_ONLY[item_input]
        if not self.id_only:
            self.text = nn.Linear(text_width, width)
            self.attributes = AttributeEmbedding(width, rows["attributes"])
        self.unknown = nn.Parameter(torch.zeros(width))
        table = id_embedding if self.id_only else zero_embedding
        self.offsets = table(rows["items"], width)
        self.mix = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(self, ids: Tensor, attributes: Tensor, text: Tensor) -> Tensor:
        """Encode items.

        Args:
            ids: [M] int64 rows of the vocabulary; 1 is unknown.
            attributes: [M, A] int64, 0-padded.
            text: [M, E] float, unit norm.

        Returns:
            [M, D], unit norm.
        """
        if self.id_only:
            summed = self.unknown + self.offsets(known_rows(ids))  # [M, D]
        else:
            summed = self.text(text) + self.attributes(attributes)  # [M, D]
            summed = summed + self.unknown + self.offsets(known_rows(ids))  # [M, D]
        return functional.normalize(summed + self.mix(summed), dim=-1)


class UserTower(nn.Module):
    """A user's vector at any position of the history, from the events up to it.

    The events are pooled by attention with a learned query and a bias by age in events. The newest
    event is added to the pool, so that short-term intent is not averaged away.

    Source: ours; Huang et al. (CIKM 2013) encode a query here.

    Args:
        width: D.
        positions: most events in a history.
        rows: rows of the event tables; see `EventEmbedding`.
        dropout: probability.
    """

    def __init__(
        self, width: int, positions: int, *, rows: Mapping[str, int], dropout: float
    ) -> None:
        super().__init__()
        self.item = nn.Linear(width, width)
        self.context = EventEmbedding(width, rows)
        self.attention = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
        self.age = nn.Parameter(torch.zeros(positions))
        self.region = zero_embedding(rows["regions"], width)
        self.device = zero_embedding(rows["devices"], width)
        self.mix = nn.Sequential(
            nn.Linear(3 * width, 2 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, batch: EventBatch, item_vectors: Tensor, cuts: Tensor) -> Tensor:
        """Encode users at given positions.

        Args:
            batch: histories.
            item_vectors: [B, T, D] of the events' items, from the item tower.
            cuts: [B, P] int64, the last event each user vector may read.

        Returns:
            [B, P, D], unit norm.
        """
        tokens = self.item(item_vectors) + self.context(batch)  # [B, T, D]
        pooled = self._pool(tokens, cuts)  # [B, P, D]
        place = self.region(at_cuts(batch.fields["regions"], cuts))  # [B, P, D]
        place = place + self.device(at_cuts(batch.fields["devices"], cuts))
        newest = at_cuts(tokens, cuts)  # [B, P, D]
        mixed = self.mix(torch.cat([pooled, newest, place], dim=-1))  # [B, P, D]
        return functional.normalize(pooled + newest + mixed, dim=-1)

    def _pool(self, tokens: Tensor, cuts: Tensor) -> Tensor:
        ages = cuts[..., None] - torch.arange(tokens.shape[1], device=cuts.device)  # [B, P, T]
        scores = self.attention(tokens).transpose(1, 2) + self.age[ages.clamp_min(0)]  # [B, P, T]
        shares = scores.masked_fill(ages < 0, -math.inf).softmax(dim=-1)  # [B, P, T]
        return shares @ tokens


class Dssm(nn.Module):
    """The two towers.

    Args:
        width: D, of both towers' vectors.
        positions: most events in a history.
        text_width: E.
        rows: rows of every table, by field of the vocabulary.
        dropout: probability.
        item_input: `features` or `id`; see `ItemTower`.
    """

    def __init__(
        self,
        width: int,
        positions: int,
        *,
        text_width: int,
        rows: Mapping[str, int],
        dropout: float = 0.0,
        item_input: str = "features",
    ) -> None:
        super().__init__()
        self.items = ItemTower(width, text_width, rows, item_input)
        self.users = UserTower(width, positions, rows=rows, dropout=dropout)
