"""Embedding layers that the models share: events to vectors and attributes to vectors.

Shapes: B batch, T events, D width, E text width, A attributes per item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from grove.features.event_fields import KIND, SCENE
from grove.features.ids import (
    DAYS_PER_WEEK,
    FIRST_KNOWN,
    HOURS_PER_DAY,
    RECENCY_BUCKETS,
    SECONDS_PER_HOUR,
)

ID_STD = 0.02
"""Standard deviation of the initial id vectors of an id-only model."""
ID_ONLY = {"features": False, "id": True}
"""By value of the option `item_input`: whether item vectors come from the id alone."""


class EventBatch(Protocol):
    """Right-padded histories, oldest event first; every tensor is [B, T] int64, 0 = nothing."""

    @property
    def fields(self) -> Mapping[str, Tensor]:
        """Rows of the vocabulary, by name of the event field."""

    @property
    def recency(self) -> Tensor:
        """Log-bucket of the time to the next event."""

    @property
    def times(self) -> Tensor:
        """Seconds since 1970, UTC."""


class EventEmbedding(nn.Module):
    """Sum of one vector per field of an event, and of those of its recency, hour and weekday.

    All tables start at zero, so a value never seen in training adds nothing. A field that was
    added after the model was trained has no table and adds nothing.

    Source: STARS §4.1, context and engagement embeddings added to the item token.

    The recency of an event is the time until the next one. This does not leak the future: at the
    moment of a prediction, the time since the last event is known.

    Args:
        width: D.
        rows: rows per table, by name of the event field; other names are ignored.
    """

    def __init__(self, width: int, rows: Mapping[str, int]) -> None:
        super().__init__()
        self.scene = tuple(field.name for field in SCENE if field.name in rows)
        for name in (KIND.name, *self.scene):
            self.add_module(name, zero_embedding(rows[name], width))
        self.recency = zero_embedding(RECENCY_BUCKETS, width)
        self.hours = zero_embedding(HOURS_PER_DAY + 1, width)
        self.weekdays = zero_embedding(DAYS_PER_WEEK + 1, width)

    def forward(self, batch: EventBatch) -> Tensor:
        """Embed the events of a batch, [B, T, D]; the rows of padding are undefined."""
        hours = batch.times // SECONDS_PER_HOUR  # [B, T]
        # The order of a floating-point sum decides its last bit: new fields go after the old ones.
        total = self._embedded(KIND.name, batch) + self.recency(batch.recency)  # [B, T, D]
        for name in self.scene:
            total = total + self._embedded(name, batch)
        total = total + self.hours(1 + hours % HOURS_PER_DAY)
        return total + self.weekdays(1 + hours // HOURS_PER_DAY % DAYS_PER_WEEK)

    def _embedded(self, name: str, batch: EventBatch) -> Tensor:
        vectors: Tensor = self.get_submodule(name)(batch.fields[name])  # [B, T, D]
        return vectors


class AttributeEmbedding(nn.Module):
    """Linear map of a multi-hot attribute vector, W_attr · t_i.

    Source: STARS §4.1, g_attr.

    Args:
        width: D.
        rows: attributes of the vocabulary, nothing and unknown included.
    """

    def __init__(self, width: int, rows: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(rows, width, mode="sum", padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.05)
        with torch.no_grad():
            self.table.weight[:FIRST_KNOWN] = 0

    def forward(self, attributes: Tensor) -> Tensor:
        """Sum the rows of each item's attributes: [M, A] int64 → [M, D]."""
        vectors: Tensor = self.table(attributes)  # [M, D]
        return vectors


def zero_embedding(rows: int, width: int) -> nn.Embedding:
    """A table that starts at zero and whose row 0 stays there."""
    table = nn.Embedding(rows, width, padding_idx=0)
    nn.init.zeros_(table.weight)
    return table


def id_embedding(rows: int, width: int) -> nn.Embedding:
    """A table for an id-only model: random rows, except nothing and unknown.

    Equal rows would get equal gradients, so a table that starts at zero could not distinguish items
    when nothing else is read.

    Source: the normal initialisation of SASRec and BERT4Rec, standard deviation `ID_STD`.
    """
    table = nn.Embedding(rows, width, padding_idx=0)
    nn.init.normal_(table.weight, std=ID_STD)
    with torch.no_grad():
        table.weight[:FIRST_KNOWN] = 0
    return table


def known_rows(ids: Tensor) -> Tensor:
    """Replace the unknown id by nothing, so that a zero-started table adds nothing for it."""
    return ids.masked_fill(ids < FIRST_KNOWN, 0)


def at_cuts(values: Tensor, cuts: Tensor) -> Tensor:
    """Pick the events at given positions.

    Args:
        values: [B, T, D] or [B, T].
        cuts: [B, P] int64 positions in 0 .. T − 1.

    Returns:
        [B, P, D] or [B, P].
    """
    index = cuts if values.dim() == cuts.dim() else cuts[..., None].expand(-1, -1, values.shape[2])
    return values.gather(1, index)
