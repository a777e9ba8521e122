"""A history that is out of order, or that leaks an event of the day, is detected."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from grove.histories import HistoryFacts, check_histories, measure_histories

pytestmark = pytest.mark.spark

DAY = date(2026, 11, 19)
SCHEMA = (
    "day date, cut string, item_ids array<string>, event_times array<timestamp>,"
    " landed_days array<date>"
)


def row(cut: str, hours: list[int], landed: list[int]) -> tuple[object, ...]:
    times = [datetime(2026, 11, 19, tzinfo=UTC) + timedelta(hours=hour) for hour in hours]
    return (DAY, cut, ["i"] * len(hours), times, [DAY + timedelta(days=day) for day in landed])


def measure(spark: SparkSession, rows: list[tuple[object, ...]]) -> HistoryFacts:
    return measure_histories(spark.createDataFrame(rows, SCHEMA), max_events=2)


def test_good_histories_pass_every_check(spark: SparkSession) -> None:
    facts = measure(spark, [row("before", [1, 2], [-1, -1]), row("through", [1, 2], [-1, 0])])
    assert facts == HistoryFacts(rows=2, events=2, unordered=0, beyond_cut=0, too_long=0)
    assert all(check.passed for check in check_histories(facts))


@pytest.mark.parametrize(
    ("broken", "name"),
    [
        (row("before", [2, 1], [-1, -1]), "events_ordered"),
        (row("before", [1, 2], [-1, 0]), "cut_respected"),
        (row("through", [1, 2], [0, 1]), "cut_respected"),
        (row("through", [1, 2, 3], [0, 0, 0]), "history_length"),
    ],
)
def test_a_failed_check_rejects_the_day(
    spark: SparkSession, broken: tuple[object, ...], name: str
) -> None:
    checks = check_histories(measure(spark, [row("before", [1], [-1]), broken]))
    assert [check.name for check in checks if not check.passed] == [name]
    assert {check.severity for check in checks} == {"fail"}


def test_no_history_at_all_rejects_the_day(spark: SparkSession) -> None:
    checks = check_histories(measure(spark, []))
    assert [check.name for check in checks if not check.passed] == ["histories_present"]
