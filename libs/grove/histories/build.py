"""Interactions of all days → one history per user and cut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column, DataFrame, Window

from grove.features.event_fields import KIND, SCENE

ARRAYS = {
    "item_ids": "item_id",
    KIND.name: KIND.column,
    "event_times": "event_time",
    "landed_days": "day",
    "queries": "query",
    **{field.name: field.column for field in SCENE},
}
"""Array of a history → column of the events it holds."""
_MAY_BE_UNKNOWN = ("query", *(field.column for field in SCENE))
_TIE = "tie"
_ORDER = ("event_time", _TIE, "event_id")
"""Order of events: by time; at equal times by a hash of the id, and by the id if hashes are equal.

The id alone would often be an order of items: the lines of a basket have one time, and shops name a
line by its order and article, or number the lines of a sorted list. A model that is trained on
histories would learn that order (decision 0017).
"""
_BEFORE = "before"
_THROUGH = "through"


def build_histories(
    interactions: DataFrame, day: date, *, positive_events: Sequence[str], max_events: int
) -> DataFrame:
    """Each user's newest events, once without the day and once with it.

    `before` holds the events that landed by the day before: a prediction of the day may use no
    others. `through` holds those of the day too. Events are ordered by the time they happened, so
    an event that landed late is at its proper position. Events of equal time have an order that is
    fixed and says nothing about their items, see `_ORDER`. Both cuts come from one shuffle by user,
    and a user's events are cut to the newest before they are gathered: a user of a million events
    needs no more memory than one of `max_events`.

    Args:
        interactions: rows of the table of that name; days after `day` are left out here.
        day: the day that is predicted (`before`) and then trained on (`through`).
        positive_events: event types that count as positive feedback.
        max_events: T, newest events kept per user.

    Returns:
        The columns of `histories`: day, cut, user and parallel arrays, oldest event first; an
        unknown string is "". A user without any event in a cut has no row for it.
    """
    positives = interactions.where(
        (F.col("day") <= day) & F.col("event_type").isin(*positive_events)
    ).withColumn(_TIE, F.xxhash64("event_id"))
    known = F.col("day") < day
    newest_first = Window.partitionBy("user_id").orderBy(*(F.desc(name) for name in _ORDER))
    ranked = positives.select(
        "user_id",
        _event().alias("event"),
        known.alias("known"),
        F.row_number().over(newest_first).alias("rank"),
        F.count_if(known)
        .over(newest_first.rowsBetween(Window.unboundedPreceding, 0))
        .alias("rank_of_known"),
    )
    cuts = {
        _BEFORE: F.col("known") & (F.col("rank_of_known") <= max_events),
        _THROUGH: F.col("rank") <= max_events,
    }
    gathered = ranked.groupBy("user_id").agg(*(_gather(cuts[cut], cut) for cut in cuts))
    both = (F.struct(F.lit(cut).alias("cut"), F.col(cut).alias("events")) for cut in cuts)
    rows = gathered.select("user_id", F.inline(F.array(*both))).where(F.size("events") > 0)
    arrays = (F.col(f"events.{name}").alias(array) for array, name in ARRAYS.items())
    return rows.select(F.lit(day).alias("day"), "cut", "user_id", *arrays)


def _event() -> Column:
    """An event as a struct that sorts in `_ORDER`; unknown values are empty strings."""
    others = (name for name in ARRAYS.values() if name not in _ORDER)
    return F.struct(
        *_ORDER,
        *(
            F.coalesce(name, F.lit("")).alias(name) if name in _MAY_BE_UNKNOWN else F.col(name)
            for name in others
        ),
    )


def _gather(kept: Column, cut: str) -> Column:
    # `collect_list` leaves nulls out, and so events outside the cut.
    return F.sort_array(F.collect_list(F.when(kept, F.col("event")))).alias(cut)
