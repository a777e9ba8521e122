"""Items of a shop without a catalogue feed, derived from its events."""

from __future__ import annotations

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column, DataFrame, Window

_KEY = "item_id"
_STATED = ("title", "price")
"""Attributes of an item that events carry."""


def derive_items(events: DataFrame, earlier: DataFrame) -> DataFrame:
    """One version per item and day on which its title or price was first seen or changed.

    The title is the newest one that is not blank, the price that of the newest event with a
    price. A value that a day does not provide is carried over from the previous version. An item
    without any title gets its id as title, so that it has a text.

    Args:
        events: accepted events of one or more days, with `title`.
        earlier: rows of `items` of earlier days.

    Returns:
        The columns of `items`; lists are empty, and attributes that events do not carry are null.
    """
    known = earlier.select("day", _KEY, "title", "price", "first_seen").withColumn(
        "is_new", F.lit(False)
    )
    seen = _day_by_day(events).withColumn("is_new", F.lit(True))
    before = Window.partitionBy(_KEY).orderBy("day")
    so_far = before.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    filled = (
        known.unionByName(seen)
        .withColumns({name: F.last(name, ignorenulls=True).over(so_far) for name in _STATED})
        .withColumn("first_seen", F.min(F.coalesce("first_seen", "day")).over(so_far))
        .withColumn("title", F.coalesce("title", _KEY))
    )
    changed = F.lag("day").over(before).isNull() | ~F.lag(_state()).over(before).eqNullSafe(
        _state()
    )
    return filled.withColumn("changed", changed).where("is_new and changed").select(*_columns())


def _day_by_day(events: DataFrame) -> DataFrame:
    title = F.nullif(F.trim("title"), F.lit(""))
    price = F.nullif(F.col("price"), F.lit(0.0))
    return events.groupBy("day", _KEY).agg(
        _newest(title).alias("title"),
        _newest(price).alias("price"),
        F.lit(None).cast("date").alias("first_seen"),
    )


def _newest(value: Column) -> Column:
    """The value of the newest event with a value; the event id breaks ties of equal times.

    These are events of one item, so the ids bring no order of items in.
    """
    when = F.struct("event_time", "event_id")
    return F.max_by(value, F.when(value.isNotNull(), when))


def _state() -> Column:
    return F.struct(*_STATED)


def _columns() -> tuple[Column, ...]:
    text, texts = F.lit(None).cast("string"), F.array().cast("array<string>")
    return (
        F.col("day"),
        F.col(_KEY),
        F.col("title"),
        text.alias("description"),
        text.alias("brand"),
        texts.alias("category_path"),
        texts.alias("tags"),
        F.col("price"),
        F.lit(None).cast("int").alias("stock"),
        texts.alias("regions"),
        F.col("first_seen"),
        text.alias("product_id"),
    )
