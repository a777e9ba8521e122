"""Histories are in order of time, hold the newest events, and exclude the day where they must."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import correlation
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


def hashes(spark: SparkSession, ids: list[str]) -> list[int]:
    """Spark's XXH64 (seed 42) of each id."""
    frame = spark.createDataFrame(
        [(number, text) for number, text in enumerate(ids)], "n int, t string"
    )
    return [row["h"] for row in frame.selectExpr("n", "xxhash64(t) as h").orderBy("n").collect()]


def reference_histories(
    events: list[Event], max_events: int, ties: list[int]
) -> dict[tuple[str, str], list[str]]:
    """(cut, user) → items, with a plain loop over sorted events."""
    found: dict[tuple[str, str], list[str]] = {}
    order = sorted(range(len(events)), key=lambda number: (events[number][1], ties[number]))
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


def basket(spark: SparkSession, lines: dict[str, str]) -> list[str]:
    """Items of a basket in the history: event id → item, all of one time."""
    time = datetime(2026, 11, 18, 9, tzinfo=UTC)
    yesterday = DAY - timedelta(days=1)
    rows = [(yesterday, event, "order", "u", item, time) for event, item in lines.items()]
    schema = spark_schema(load_contract(INTERACTIONS))
    names = ("day", "event_id", "event_type", "user_id", "item_id", "event_time")
    values = [dict(zip(names, row, strict=True)) for row in rows]
    frame = spark.createDataFrame(
        [tuple(value.get(name) for name in schema.names) for value in values], schema
    )
    return list(histories(frame, max_events=len(lines))["before", "u"]["item_ids"])


def test_equal_times_have_a_fixed_order_that_is_not_that_of_ids(spark: SparkSession) -> None:
    lines = {f"A17-{item}": item for item in ("bowl", "cup", "mug", "plate", "spoon", "tray")}
    expected = ["mug", "spoon", "tray", "plate", "cup", "bowl"]
    assert basket(spark, lines) == expected
    assert basket(spark, dict(reversed(lines.items()))) == expected


@pytest.mark.parametrize(
    "ids",
    [
        "A17-{item}",
        "{item}-A17",
        "e{number:06d}",
        "e{rest:06d}",
        "{number}",
        "{bar}",
        "E20261118-0000001-{item}-order",
    ],
)
def test_the_order_of_a_large_basket_says_nothing_about_its_items(
    spark: SparkSession, ids: str
) -> None:
    lines = {
        ids.format(item=f"i{number:06d}", number=number, rest=999_999 - number, bar="x" * number): (
            f"i{number:06d}"
        )
        for number in range(1, 1001)
    }
    items = list(lines.values())
    found = basket(spark, lines)
    assert sorted(found) == items
    numbers = [int(item[1:]) for item in found]
    ascending = sum(one < other for one, other in pairwise(numbers)) / (len(numbers) - 1)
    # Of a random order: 0.5, standard deviation 0.009; and 0, standard deviation 0.03.
    assert abs(ascending - 0.5) < 0.05
    assert abs(correlation(numbers, range(len(numbers)))) < 0.15


def test_time_goes_before_the_hash(spark: SparkSession) -> None:
    events = [(-1, hour - 24, "u", f"i{hour}", "click") for hour in range(20)]
    found = histories(interactions(spark, events), max_events=20)["before", "u"]["item_ids"]
    assert found == [f"i{hour}" for hour in range(20)]


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
    ties = hashes(spark, [f"e{number:03d}" for number in range(len(events))])
    found = histories(interactions(spark, events), max_events)
    items = {key: row["item_ids"] for key, row in found.items()}
    assert items == reference_histories(events, max_events, ties)
