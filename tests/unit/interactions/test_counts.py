"""Rows are counted where they are, by day, feed and reason."""

from __future__ import annotations

from datetime import date

import pytest
from pyspark.sql import SparkSession

from grove.interactions import FeedCounts
from grove.interactions.counts import reasons_by_day, rows_by_day

pytestmark = pytest.mark.spark

DAY, NEXT = date(2026, 11, 19), date(2026, 11, 20)


def test_counts_are_shown_with_all_reasons() -> None:
    counts = FeedCounts(landed=9, accepted=4, duplicates=1, quarantined={"too_late": 3, "b": 1})
    assert counts.refused == 3 + 1
    assert counts.as_json() == {
        "landed": 9,
        "accepted": 4,
        "duplicates": 1,
        "quarantined": {"b": 1, "too_late": 3},
    }


def test_rows_are_counted_by_day_feed_and_reason(spark: SparkSession) -> None:
    rows = [
        (DAY, "events", "too_late"),
        (DAY, "events", "too_late"),
        (DAY, "users", "malformed"),
        (NEXT, "events", "malformed"),
    ]
    frame = spark.createDataFrame(rows, "day date, feed string, reason string")
    assert rows_by_day(frame) == {DAY: 3, NEXT: 1}
    assert reasons_by_day(frame) == {
        ("events", DAY): {"too_late": 2},
        ("users", DAY): {"malformed": 1},
        ("events", NEXT): {"malformed": 1},
    }
