"""Histories are in order of time, hold the newest events, and exclude the day where they must."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import load_contract, spark_schema
from grove.datasets import HISTORIES, INTERACTIONS
from grove.histories import build_histories

pytestmark = pytest.mark.spark

DAY = date(2026, 11, 19)
POSITIVE = ("click", "order")
Event = tuple[int, int, str, str, str]
"""Day landed, hour it happened, both counted from the day; user, item, type."""


def interactions(spark: SparkSession, events: list[Event], **scene: str) -> DataFrame:
    rows = [
        {
            "day": DAY + timedelta(days=landed),
            "event_id": f"e{number:03d}",
            "event_type": kind,
            "user_id": user,
            "item_id": item,
            "event_time": datetime(2026, 11, 19, tzinfo=UTC) + timedelta(hours=hour),
            **scene,
        }
        for number, (landed, hour, user, item, kind) in enumerate(events)
    ]
    schema = spark_schema(load_contract(INTERACTIONS))
    values = [tuple(row.get(name) for name in schema.names) for row in rows]
    return spark.createDataFrame(values, schema)


def histories(frame: DataFrame, max_events: int = 3) -> dict[tuple[str, str], dict[str, Any]]:
    built = build_histories(frame, DAY, positive_events=POSITIVE, max_events=max_events)
    return {(row["cut"], row["user_id"]): row.asDict() for row in built.collect()}


def reference_histories(events: list[Event], max_events: int) -> dict[tuple[str, str], list[str]]:
    """(cut, user) → items, with a plain loop over sorted events."""
    found: dict[tuple[str, str], list[str]] = {}
    order = sorted(range(len(events)), key=lambda number: (events[number][1], number))
    for cut, last in (("before", -1), ("through", 0)):
        for number in order:
            landed, _, user, item, kind = events[number]
            if landed <= last and kind in POSITIVE:
                found.setdefault((cut, user), []).append(item)
    return {key: items[-max_events:] for key, items in found.items()}


def test_cuts_and_order(spark: SparkSession) -> None:
    events = [
        (0, 5, "u", "today", "click"),
        (-1, -3, "u", "second", "order"),
        (0, -30, "u", "late", "click"),
        (-2, -40, "u", "first", "click"),
        (-1, -2, "u", "ignored", "impression"),
        (1, 30, "u", "tomorrow", "click"),
        (0, 6, "new", "only", "click"),
    ]
    found = histories(interactions(spark, events), max_events=9)
    assert found["before", "u"]["item_ids"] == ["first", "second"]
    assert found["through", "u"]["item_ids"] == ["first", "late", "second", "today"]
    assert found["through", "new"]["item_ids"] == ["only"]
    assert ("before", "new") not in found


def test_the_newest_events_stay(spark: SparkSession) -> None:
    events = [(-1, -hour, "u", f"i{hour}", "click") for hour in range(1, 6)]
    events += [(0, hour, "u", f"d{hour}", "click") for hour in range(2)]
    found = histories(interactions(spark, events))
    assert found["before", "u"]["item_ids"] == ["i3", "i2", "i1"]
    assert found["through", "u"]["item_ids"] == ["i1", "d0", "d1"]


def test_equal_times_are_ordered_by_event_id(spark: SparkSession) -> None:
    events = [(-1, -1, "u", item, "click") for item in "abc"]
    assert histories(interactions(spark, events))["before", "u"]["item_ids"] == ["a", "b", "c"]


def test_arrays_are_parallel_and_unknown_is_empty(spark: SparkSession) -> None:
    events = [(-1, -2, "u", "a", "click"), (-1, -1, "u", "b", "order")]
    row = histories(interactions(spark, events, region="north", query="mug"))["before", "u"]
    assert row["event_types"] == ["click", "order"]
    assert row["landed_days"] == [DAY - timedelta(days=1)] * 2
    assert row["regions"] == ["north", "north"]
    assert row["queries"] == ["mug", "mug"]
    assert row["devices"] == row["weathers"] == row["promotions"] == ["", ""]
    assert len(row["event_times"]) == 2


def test_columns_are_those_of_the_table(spark: SparkSession) -> None:
    frame = interactions(spark, [(-1, -1, "u", "a", "click")])
    built = build_histories(frame, DAY, positive_events=POSITIVE, max_events=3)
    assert built.columns == list(load_contract(HISTORIES).column_names)


event_lists = st.lists(
    st.tuples(
        st.integers(-3, 1),
        st.integers(-20, 20),
        st.sampled_from(["u", "v"]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["click", "order", "impression"]),
    ),
    max_size=25,
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(event_lists, st.integers(1, 4))
def test_histories_equal_the_reference_implementation(
    spark: SparkSession, events: list[Event], max_events: int
) -> None:
    found = histories(interactions(spark, events), max_events)
    items = {key: row["item_ids"] for key, row in found.items()}
    assert items == reference_histories(events, max_events)
