"""Items of a shop without a catalogue: a version where its title or price changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import load_contract, spark_schema
from grove.datasets import ITEMS
from grove.interactions.derived_items import derive_items

pytestmark = pytest.mark.spark

FIRST = date(2011, 11, 1)


def events(
    spark: SparkSession, rows: list[tuple[int, int, str, str | None, float | None]]
) -> DataFrame:
    values = [
        (
            FIRST + timedelta(days=day),
            f"e{number}",
            datetime(2011, 11, 1, hour, tzinfo=UTC) + timedelta(days=day),
            item,
            title,
            price,
        )
        for number, (day, hour, item, title, price) in enumerate(rows)
    ]
    schema = (
        "day date, event_id string, event_time timestamp, item_id string,"
        " title string, price double"
    )
    return spark.createDataFrame(values, schema)


def nothing(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([], spark_schema(load_contract(ITEMS)))


def versions(items: DataFrame) -> list[tuple[Any, ...]]:
    rows = items.select("item_id", "day", "title", "price", "first_seen").collect()
    return sorted(
        (row[0], (row[1] - FIRST).days, row[2], row[3], (row[4] - FIRST).days) for row in rows
    )


def test_the_newest_title_and_price_of_a_day_win(spark: SparkSession) -> None:
    landed = events(
        spark, [(0, 9, "a", "Old", 1.0), (0, 10, "a", "New", 2.0), (0, 11, "a", " ", None)]
    )
    assert versions(derive_items(landed, nothing(spark))) == [("a", 0, "New", 2.0, 0)]


def test_only_days_of_change_make_a_version(spark: SparkSession) -> None:
    landed = events(
        spark,
        [
            (0, 9, "a", "A", 1.0),
            (1, 9, "a", "A", 1.0),
            (2, 9, "a", None, None),
            (3, 9, "a", "A", 3.0),
        ],
    )
    assert versions(derive_items(landed, nothing(spark))) == [
        ("a", 0, "A", 1.0, 0),
        ("a", 3, "A", 3.0, 0),
    ]


def test_a_range_gives_the_versions_its_days_give_one_by_one(spark: SparkSession) -> None:
    rows = [
        (0, 9, "a", "A", 1.0),
        (1, 9, "b", None, 1.0),
        (1, 9, "a", "A", 2.0),
        (2, 9, "b", "B", None),
        (2, 9, "a", None, 2.0),
    ]
    known = nothing(spark)
    for day in range(3):
        landed = events(spark, [row for row in rows if row[0] == day])
        new = derive_items(landed, known).collect()
        known = spark.createDataFrame([*known.collect(), *new], known.schema)
    in_one_pass = derive_items(events(spark, rows), nothing(spark))
    assert versions(known) == versions(in_one_pass)
    assert ("b", 1, "b", 1.0, 1) in versions(known)
    assert ("b", 2, "B", 1.0, 1) in versions(known)


def test_columns_are_those_of_the_table(spark: SparkSession) -> None:
    items = derive_items(events(spark, [(0, 9, "a", "A", 1.0)]), nothing(spark))
    assert items.columns == list(load_contract(ITEMS).column_names)
    row = items.first()
    assert row is not None
    assert (row["category_path"], row["tags"], row["regions"], row["stock"]) == ([], [], [], None)
