"""What the models share: events to vectors, items to vectors, and how a history looks to them.

Shapes: B batch, T events, D width, E text width, A attributes per item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor, nn

from grove.features.ids import (
    DAYS_PER_WEEK,
    FIRST_KNOWN,
    HOURS_PER_DAY,
    RECENCY_BUCKETS,
    SECONDS_PER_HOUR,
)

ID_STD = 0.02
"""Standard deviation of the first id vectors of a model that reads ids alone."""
ID_ONLY = {"features": False, "id": True}
"""By value of the option `item_input`: whether item vectors come from the id alone."""


class EventBatch(Protocol):
    """Right-padded histories, oldest event first; every tensor is [B, T] int64, 0 = nothing."""

    @property
    def events(self) -> Tensor:
        """Kind of event."""

    @property
    def recency(self) -> Tensor:
        """Log-bucket of the time to the next event."""

    @property
    def regions(self) -> Tensor:
        """Region of the event."""

    @property
    def devices(self) -> Tensor:
        """Device of the event."""

    @property
    def weathers(self) -> Tensor:
        """Weather at the event."""

    @property
    def promotions(self) -> Tensor:
        """Promotion at the event."""

    @property
    def times(self) -> Tensor:
        """Seconds since 1970, UTC."""


class EventEmbedding(nn.Module):
    """Sum of one vector per field of an event: its kind, when, where, and in which scene.

    All tables start at zero, so a value never seen in training adds nothing.

    Source: STARS §4.1, context and engagement embeddings added to the item token.

    The recency of an event tells how long after it the next one came. That is not knowledge of the
    future: whoever predicts the next event knows the time at which he predicts.

    Args:
        width: D.
        rows: rows per table: event_types, regions, devices, weathers, promotions.
    """

    def __init__(self, width: int, rows: Mapping[str, int]) -> None:
        super().__init__()
        self.event_types = zero_embedding(rows["event_types"], width)
        self.regions = zero_embedding(rows["regions"], width)
        self.devices = zero_embedding(rows["devices"], width)
        self.weathers = zero_embedding(rows["weathers"], width)
        self.promotions = zero_embedding(rows["promotions"], width)
        self.recency = zero_embedding(RECENCY_BUCKETS, width)
        self.hours = zero_embedding(HOURS_PER_DAY + 1, width)
        self.weekdays = zero_embedding(DAYS_PER_WEEK + 1, width)

    def forward(self, batch: EventBatch) -> Tensor:
        """Embed the events of a batch, [B, T, D]; the padding's rows mean nothing."""
        hours = batch.times // SECONDS_PER_HOUR  # [B, T]
        total: Tensor = (
            self.event_types(batch.events)
            + self.recency(batch.recency)
            + self.regions(batch.regions)
            + self.devices(batch.devices)
            + self.weathers(batch.weathers)
            + self.promotions(batch.promotions)
            + self.hours(1 + hours % HOURS_PER_DAY)
            + self.weekdays(1 + hours // HOURS_PER_DAY % DAYS_PER_WEEK)
        )  # [B, T, D]
        return total


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
    """A table for a model that reads ids alone: random rows, except nothing and unknown.

    Equal rows would get equal gradients, so a table that starts at zero could not distinguish items
    when nothing else is read.

    Source: the normal start of SASRec and BERT4Rec, standard deviation `ID_STD`.
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
