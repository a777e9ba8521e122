"""Histories as arrays: encoded once, cut into padded batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from grove.features.event_fields import EVENT_FIELDS
from grove.features.ids import RECENCY_BUCKETS, SECONDS_PER_DAY
from grove.features.name_rows import rows_of
from grove.features.vocabulary import Vocabulary

HISTORY_COLUMNS = (
    "user_id",
    "item_ids",
    "event_times",
    "landed_days",
    "queries",
    *(field.name for field in EVENT_FIELDS),
)
_PER_EVENT = ("items", "item_rows", "recency", "queries", "times", "fresh")


@dataclass(frozen=True, kw_only=True)
class SequenceBatch:
    """B histories, right-padded to T events, oldest first; every tensor is int64 but `fresh`."""

    items: Tensor
    """[B, T] rows of the vocabulary; 0 pad, 1 unknown."""
    item_rows: Tensor
    """[B, T] rows of `ItemFeatures`; 0 pad or not in the item table."""
    fields: Mapping[str, Tensor]
    """[B, T] each, by name of the event field: rows of the vocabulary."""
    recency: Tensor
    """[B, T] log-bucket of the seconds to the next event; at the last event, to the end."""
    queries: Tensor
    """[B, T] row of the query's vector, 0 none."""
    times: Tensor
    """[B, T] seconds since 1970, UTC."""
    fresh: Tensor
    """[B, T] bool: a target of this pass; it landed after the days the weights were trained on."""
    lengths: Tensor
    """[B] events per history."""

    @property
    def mask(self) -> Tensor:
        """[B, T] bool, true where there is an event."""
        columns = torch.arange(self.items.shape[1], device=self.lengths.device)
        return columns < self.lengths[:, None]

    def to(self, device: str) -> SequenceBatch:
        """Copy every tensor to a device."""
        moved = {name: getattr(self, name).to(device) for name in (*_PER_EVENT, "lengths")}
        by_field = {name: values.to(device) for name, values in self.fields.items()}
        return SequenceBatch(**moved, fields=by_field)


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """U histories laid end to end: event e of user u is row offsets[u] + e of every array."""

    user_ids: np.ndarray
    """[U] str"""
    offsets: np.ndarray
    """[U+1] int64"""
    items: np.ndarray
    """[E] int64, as in `SequenceBatch`; so are the arrays below."""
    item_rows: np.ndarray
    fields: Mapping[str, np.ndarray]
    recency: np.ndarray
    queries: np.ndarray
    times: np.ndarray
    fresh: np.ndarray

    def __len__(self) -> int:
        return len(self.user_ids)

    @cached_property
    def lengths(self) -> np.ndarray:
        """[U] events per user."""
        return np.diff(self.offsets)

    def without_repeats(self) -> Sequences:
        """The same histories, without targets that repeat an earlier item of the user.

        A click, a cart and an order of one item follow each other. Where a shop does not recommend
        items that the user has interacted with, only the first of these events is a useful target.
        """
        owners = np.repeat(np.arange(len(self)), self.lengths)  # [E]
        keys = owners * (int(self.item_rows.max(initial=0)) + 1) + self.item_rows  # [E]
        first = np.zeros(len(keys), dtype=bool)
        first[np.unique(keys, return_index=True)[1]] = True
        return replace(self, fresh=self.fresh & first)

    def batch(self, users: np.ndarray) -> SequenceBatch:
        """Copy some users' histories into padded tensors.

        Args:
            users: [B] int64 rows of this object, in any order.

        Returns:
            Tensors as long as the longest of these histories (at least one column).
        """
        lengths = self.lengths[users]  # [B]
        columns = np.arange(max(int(lengths.max(initial=0)), 1))  # [T]
        present = columns < lengths[:, None]  # [B, T]
        source = np.where(present, self.offsets[users][:, None] + columns, 0)  # [B, T]

        def padded(values: np.ndarray) -> Tensor:
            return torch.from_numpy(np.where(present, _at(values, source), 0))

        tensors = {name: padded(getattr(self, name)) for name in _PER_EVENT}
        tensors["fresh"] = tensors["fresh"].bool()
        by_field = {name: padded(values) for name, values in self.fields.items()}
        return SequenceBatch(**tensors, fields=by_field, lengths=torch.from_numpy(lengths))


@dataclass(frozen=True, kw_only=True)
class HistoryEncoder:
    """Encoder of rows of `histories` as `Sequences`."""

    vocabulary: Vocabulary
    """Of the model."""
    item_ids: pa.Array
    """[N] items of the item table, in its order."""
    queries: pa.Array | None = None
    """[Q] texts of the query vector table, in its order; none: queries are not read."""
    learned_through: date | None = None
    """Last landing day that the weights were trained on; none: untrained."""
    max_events: int = 50
    """Newest events kept per user."""

    def encode(self, histories: pa.Table) -> Sequences:
        """Encode rows of `histories`.

        The end of a history, which the last event's recency is measured to, is the midnight at
        which its cut was made (columns `day` and `cut`); where these are absent, the first
        midnight after the last event. A history without events has length 0, and its end has
        no effect.

        Args:
            histories: rows in any order, columns as in the contract.

        Returns:
            The same users in the same order, cut to the newest events.
        """
        offsets, events = _newest_events(histories, self.max_events)
        times = _seconds(events["event_times"])
        ends = _ends(histories, _at(times, offsets[1:] - 1))
        landed = events["landed_days"].cast(pa.int32()).to_numpy(zero_copy_only=False)
        return Sequences(
            user_ids=np.asarray(histories["user_id"].to_pylist(), dtype=object),
            offsets=offsets,
            items=self.vocabulary.encode("items", events["item_ids"]),
            item_rows=rows_of(events["item_ids"], self.item_ids) + 1,
            recency=recency_bucket(_gaps(times, offsets, ends)),
            queries=_query_rows(events["queries"], self.queries),
            times=times,
            fresh=landed > _days_since_epoch(self.learned_through),
            fields={
                name: self.vocabulary.encode(name, events[name])
                for name in self.vocabulary.event_fields
            },
        )


def recency_bucket(seconds: np.ndarray) -> np.ndarray:
    """Logarithmic bucket of a duration.

    Args:
        seconds: [E] int64; negative counts as zero.

    Returns:
        [E] int64 in 1 .. RECENCY_BUCKETS − 1, one more for every doubling.

    Example:
        >>> recency_bucket(np.array([0, 1, 60, 86_400])).tolist()
        [1, 2, 6, 17]
    """
    doublings = np.floor(np.log2(np.maximum(seconds, 0) + 1.0)).astype(np.int64)
    return np.minimum(doublings + 1, RECENCY_BUCKETS - 1)


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    return values[index] if len(values) else np.zeros_like(index)


def _newest_events(histories: pa.Table, max_events: int) -> tuple[np.ndarray, dict[str, pa.Array]]:
    """Offsets [U+1] and flat columns, after every history lost all but its newest events."""
    lengths = pc.list_value_length(histories["item_ids"]).to_numpy().astype(np.int64)  # [U]
    ends = np.cumsum(lengths)
    kept = np.minimum(lengths, max_events)
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    positions = np.arange(offsets[-1]) + np.repeat(ends - offsets[1:], kept)  # [E]
    index = pa.array(positions)
    arrays = (name for name in HISTORY_COLUMNS if name != "user_id")
    flat = {name: _flatten(histories, name, lengths).take(index) for name in arrays}
    return offsets, flat


def _flatten(histories: pa.Table, name: str, lengths: np.ndarray) -> pa.Array:
    """One value per event; "" where the histories were built before the field existed."""
    column = histories[name] if name in histories.column_names else pa.nulls(len(histories))
    if column.null_count or pa.types.is_null(column.type):
        known = zip(column.to_pylist(), lengths, strict=True)
        return pa.array(
            [value for row, length in known for value in row or [""] * length], pa.string()
        )
    flat = pc.list_flatten(column)
    return flat.combine_chunks() if isinstance(flat, pa.ChunkedArray) else flat


def _seconds(times: pa.Array) -> np.ndarray:
    micros = times.cast(pa.timestamp("us", tz=times.type.tz), safe=False).cast(pa.int64())
    return np.asarray(micros.to_numpy(zero_copy_only=False) // 1_000_000, dtype=np.int64)


def _query_rows(queries: pa.Array, names: pa.Array | None) -> np.ndarray:
    """[E] rows of the query vector table, from 1; 0 where a query has no vector."""
    return rows_of(queries, names) + 1 if names is not None else np.zeros(len(queries), np.int64)


def _ends(histories: pa.Table, last_times: np.ndarray) -> np.ndarray:
    """[U] seconds at which each history was cut."""
    if {"day", "cut"} <= set(histories.column_names):
        days = histories["day"].cast(pa.date32()).cast(pa.int32()).to_numpy().astype(np.int64)
        through = pc.equal(histories["cut"], "through").to_numpy().astype(np.int64)
        return np.asarray((days + through) * SECONDS_PER_DAY)
    return np.asarray((last_times // SECONDS_PER_DAY + 1) * SECONDS_PER_DAY)


def _gaps(times: np.ndarray, offsets: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """[E] seconds from each event to the next one of its history, or to the history's end."""
    following = np.append(times[1:], 0)
    occupied = np.diff(offsets) > 0
    following[offsets[1:][occupied] - 1] = ends[occupied]
    return np.asarray(following - times)


def _days_since_epoch(day: date | None) -> int:
    return -1 if day is None else (day - date(1970, 1, 1)).days
