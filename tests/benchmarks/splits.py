"""Splits of a shop: training histories, users of the test and their targets.

Two protocols:

- `leave_one_out`: every user's last event is the target (`evaluated="test"`), or the one before it
  (`"valid"`). Lists are made from all earlier events. The training data is an argument:
  `learn="train"`, all but the last two events, as S³-Rec and SASRec do; or `"before"`, all but
  the target, which is more for the test. On `"valid"` the two are the same.
- `by_time`: events that landed before a day are training data, later ones are targets. Items
  without an earlier event are new: no model reads them before it ranks.

Time, in a leave-one-out split, is a choice that changes figures. A model reads how long after an
event the next one came, and in Beauty's order 43 % of the last pairs share a day. With
`clock="real"` a list is made for the target's own day, which reveals that too; no published figure
is made so. With `clock="order"` all events are a week apart, and only their order is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from tests.benchmarks.shop_data import Shop

from grove.evaluation.metrics import Targets, make_targets
from grove.features.ids import DAYS_PER_WEEK, SECONDS_PER_DAY

_NOT_RECORDED = ("queries", "devices", "weathers", "promotions")
_EVENTS_BEHIND = {"test": 0, "valid": 1}
"""Events after the target, by split."""
_SUFFIXES = {"train": "", "before": ", valid learnt", "order": "", "real": ", real clock"}
"""Suffixes of the name of a split that departs from the usual one."""
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Split:
    """Training histories, users of the test and their targets; U users, N items."""

    name: str
    learns: str
    """Name of the training data, which splits with the same training data share."""
    learnt: pa.Table
    """Rows of `histories`; the only events that models may train on."""
    asked: pa.Table
    """U rows of `histories`, in order of user, with the day of their list."""
    asked_on: np.ndarray
    """[U] int64, that day by the shop's calendar, whatever the clock; days since 1970."""
    segments: Mapping[str, Targets]
    """Targets of the U users: `all`, and segments of it that are not empty."""
    seen: list[np.ndarray] | None
    """U arrays of item rows that lists must not hold; none: repurchases are allowed."""
    items: pa.Table
    """The item table."""
    known: np.ndarray
    """[N] bool, items with training interactions; the others are new when lists are made."""
    query_vectors: pa.Table | None = None
    """query and vector of the queries in `learnt`; none: queries are not read."""


def leave_one_out(
    shop: Shop,
    items: pa.Table,
    *,
    evaluated: Literal["test", "valid"],
    learn: Literal["train", "before"],
    clock: Literal["order", "real"],
) -> Split:
    """Make one event of every user a target, if there is one before it; see this module.

    Args:
        shop: without repeated items of a user, as items of the history are left out of the lists.
        items: its item table.
        evaluated: which event is the target.
        learn: training data.
        clock: time that models see.
    """
    events = _a_week_apart(shop.events) if clock == "order" else shop.events
    behind = events.groupby("user_id").cumcount(ascending=False)
    before = events[behind > _EVENTS_BEHIND[evaluated]]
    learnt = before if learn == "before" else events[behind > _EVENTS_BEHIND["valid"]]
    targets = events[behind == _EVENTS_BEHIND[evaluated]]
    targets = targets[targets["user_id"].isin(before["user_id"])]
    # Users are in one order everywhere, so the days of the targets are those of the histories.
    asked = _asked(before, targets, targets["time"].to_numpy() // SECONDS_PER_DAY)
    suffix = f"{_SUFFIXES[learn]}{_SUFFIXES[clock]}"
    until = f", {evaluated}" if learn == "before" else ""
    return Split(
        name=f"{shop.name} leave-one-out, {evaluated}{suffix}",
        learns=f"{shop.name} leave-one-out{until}{suffix}",
        learnt=history_table(learnt),
        asked=asked,
        asked_on=targets["day"].to_numpy(),
        segments={"all": _pairs(asked, targets, items)},
        seen=rows_of_users(asked, items),
        items=items,
        known=np.ones(len(items), dtype=bool),
    )


def by_time(
    shop: Shop,
    items: pa.Table,
    *,
    split_on: date,
    until: date | None = None,
    repurchases: bool = False,
) -> Split:
    """Make the events from a day on the targets of users with a history.

    Args:
        shop: to split.
        items: its item table; items without any event are left out.
        split_on: first day of the test.
        until: first day after the test; none: the test has all later days.
        repurchases: whether lists and targets may hold items of the history.
    """
    start = (split_on - _EPOCH).days
    end = np.inf if until is None else (until - _EPOCH).days
    events = shop.events[shop.events["day"] < end]
    before, after = events[events["day"] < start], events[events["day"] >= start]
    targets = after[after["user_id"].isin(before["user_id"])]
    items = items.filter(pa.array(_occurs(items, events)))
    known = _occurs(items, before)
    asked = _asked(before, targets, start)
    seen = rows_of_users(asked, items)
    segments = _segments(_pairs(asked, targets, items), seen, known, repurchases=repurchases)
    ended = "" if until is None else f" until {until}"
    return Split(
        name=f"{shop.name} from {split_on}{ended}",
        learns=f"{shop.name} before {split_on}",
        learnt=history_table(before),
        asked=asked,
        asked_on=np.full(len(asked), start),
        segments=segments,
        seen=None if repurchases else seen,
        items=items,
        known=known,
    )


def history_table(events: pd.DataFrame) -> pa.Table:
    """Rows of `histories`, one per user, of events in order of user and moment."""
    sizes = events.groupby("user_id", sort=False).size()
    offsets = pa.array(np.concatenate([[0], np.cumsum(sizes)]), pa.int32())
    nothing = pa.array([""] * len(events), pa.string())
    micros = pa.array(events["time"].to_numpy() * 1_000_000, pa.int64())
    flat = {
        "item_ids": pa.array(events["item_id"], pa.string()),
        "event_types": pa.array(["order"] * len(events), pa.string()),
        "event_times": micros.cast(pa.timestamp("us", tz="UTC")),
        "landed_days": pa.array(events["day"], pa.int32()).cast(pa.date32()),
        "regions": pa.array(events["region"], pa.string()),
        **dict.fromkeys(_NOT_RECORDED, nothing),
    }
    lists = {name: pa.ListArray.from_arrays(offsets, values) for name, values in flat.items()}
    return pa.table({"user_id": pa.array(sizes.index, pa.string()), **lists})


def rows_of_users(histories: pa.Table, items: pa.Table) -> list[np.ndarray]:
    """Item rows of every user's events, oldest first: U arrays of int64; −1 is not in the table."""
    names = histories["item_ids"].combine_chunks()
    ends = np.cumsum(names.value_lengths().to_numpy())
    return np.split(_index(names.flatten(), items["item_id"]), ends)[:-1]


def _a_week_apart(events: pd.DataFrame) -> pd.DataFrame:
    """Events whose time is their position: whole weeks, so that the weekday is constant."""
    places = events.groupby("user_id").cumcount()
    return events.assign(time=places * DAYS_PER_WEEK * SECONDS_PER_DAY)


def _asked(before: pd.DataFrame, targets: pd.DataFrame, days: np.ndarray | int) -> pa.Table:
    """Histories of the users with a target, cut before the day of each list."""
    histories = history_table(before[before["user_id"].isin(targets["user_id"])])
    asked_on = np.broadcast_to(days, len(histories))
    return histories.append_column(
        "day", pa.array(asked_on, pa.int32()).cast(pa.date32())
    ).append_column("cut", pa.array(["before"] * len(histories), pa.string()))


def _pairs(asked: pa.Table, targets: pd.DataFrame, items: pa.Table) -> Targets:
    """Targets as rows of the users of the test, and rows of the item table."""
    places = _index(targets["user_id"], asked["user_id"]).tolist()
    rows = _index(targets["item_id"], items["item_id"]).tolist()
    return make_targets(zip(places, rows, strict=True), len(asked))


def _segments(
    targets: Targets, had: list[np.ndarray], known: np.ndarray, *, repurchases: bool
) -> dict[str, Targets]:
    """All targets and the parts of them that are not empty."""
    again = _repurchases(targets, had, len(known))
    once, more = _kept(targets, ~again), _kept(targets, again)
    parts = {"all": targets, "repurchases": more, "first purchases": once}
    segments = parts if repurchases else {"all": once}
    segments = {**segments, "new items": segments["all"].among(~known)}
    return {name: part for name, part in segments.items() if len(part.users)}


def _repurchases(targets: Targets, had: list[np.ndarray], items: int) -> np.ndarray:
    """Pairs whose item is in the history of the user, [P] bool."""
    owners = np.repeat(np.arange(len(had)), [len(rows) for rows in had])
    codes = owners * items + np.concatenate(had)
    return np.isin(targets.users * items + targets.items, codes)


def _kept(targets: Targets, marks: np.ndarray) -> Targets:
    return Targets(targets.users[marks], targets.items[marks], targets.user_count)


def _occurs(items: pa.Table, events: pd.DataFrame) -> np.ndarray:
    """Items that occur in these events, [N] bool."""
    return _index(items["item_id"].to_pylist(), pa.array(events["item_id"].unique())) >= 0


def _index(names: Any, among: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Index of each name among others, int64; −1 where it is not there."""
    values = among.combine_chunks() if isinstance(among, pa.ChunkedArray) else among
    found = pc.index_in(pa.array(names, pa.string()), value_set=values)
    return pc.fill_null(found, -1).to_numpy(zero_copy_only=False).astype(np.int64)
