"""Duplicates are dropped: of the same day, and of the days before."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import feed_dataset, load_contract
from grove.datasets import CONTEXT, INTERACTIONS
from grove.interactions.duplicates import Duplicates, find_duplicates
from grove.interactions.parsing import ParsedFeed
from grove.landed import columns as names

pytestmark = pytest.mark.spark

FIRST = date(2026, 11, 10)
Row = tuple[int, str, str]
"""Day after FIRST, file, event id."""


def parsed_events(spark: SparkSession, rows: list[Row], rejected: frozenset[int]) -> ParsedFeed:
    values = [
        (FIRST + timedelta(days=day), file, row_id, event, "bad" if row_id in rejected else None)
        for row_id, (day, file, event) in enumerate(rows)
    ]
    schema = (
        f"day date, {names.FILE} string, {names.ROW_ID} bigint,"
        f" event_id string, {names.REASON} string"
    )
    contract = load_contract(feed_dataset("events"))
    frame = spark.createDataFrame(values, schema)
    return ParsedFeed(feed="events", contract=contract, rows=frame, groups=())


def dropped_ids(duplicates: Duplicates) -> set[int]:
    return {row[0] for row in duplicates.row_ids.collect()}


def reference_duplicates(
    rows: list[Row],
    rejected: frozenset[int],
    held: list[tuple[int, str]],
    within: int,
) -> set[int]:
    """Days one by one, rows in order of file and number; other days' rows are held already."""
    accepted = {(day, event) for day, event in held}
    dropped = set()
    order = sorted(range(len(rows)), key=lambda number: (*rows[number][:2], number))
    for number in order:
        day, _, event = rows[number]
        if number in rejected:
            continue
        if any((day - back, event) in accepted for back in range(-within, within + 1)):
            dropped.add(number)
        else:
            accepted.add((day, event))
    return dropped


def reference_later(
    rows: list[Row], dropped: set[int], later: list[tuple[int, str]], within: int
) -> dict[date, dict[date, int]]:
    """Day → later day → dropped rows whose event the later day holds."""
    counts: dict[date, dict[date, int]] = {}
    for number in dropped:
        day, _, event = rows[number]
        for held_on, held in later:
            if held == event and 1 <= held_on - day <= within:
                of_day = counts.setdefault(FIRST + timedelta(days=day), {})
                held_day = FIRST + timedelta(days=held_on)
                of_day[held_day] = of_day.get(held_day, 0) + 1
    return counts


def held_events(spark: SparkSession, held: list[tuple[int, str]]) -> DataFrame:
    values = [(FIRST + timedelta(days=day), event) for day, event in held]
    return spark.createDataFrame(values, "day date, event_id string")


@cache
def example_rows() -> list[Row]:
    return [
        (0, "b", "x"),
        (0, "a", "x"),
        (0, "a", "y"),
        (0, "a", "y"),
        (2, "a", "x"),
        (4, "a", "x"),
        (5, "a", "z"),
    ]


def test_the_first_row_by_file_and_line_stays(spark: SparkSession) -> None:
    parsed = parsed_events(spark, example_rows(), frozenset())
    table = load_contract(INTERACTIONS)
    duplicates = find_duplicates(
        parsed, table, earlier=None, within_days=3, persist=DataFrame.cache
    )
    # x on day 2 repeats day 0; x on day 4 does not, because day 2 was never accepted.
    assert dropped_ids(duplicates) == {0, 3, 4}
    assert duplicates.rows_by_day == {FIRST: 2, FIRST + timedelta(days=2): 1}


def test_what_a_later_day_holds_stays_there(spark: SparkSession) -> None:
    rows = [(0, "a", "x"), (0, "a", "x"), (0, "a", "y"), (1, "a", "x"), (1, "a", "z")]
    duplicates = find_duplicates(
        parsed_events(spark, rows, frozenset()),
        load_contract(INTERACTIONS),
        earlier=None,
        later=held_events(spark, [(3, "x"), (2, "q"), (5, "z")]),
        within_days=3,
        persist=DataFrame.cache,
    )
    # z on day 5 is no event of day 1: it would be too late there.
    assert dropped_ids(duplicates) == {0, 1, 3}
    first, second, held = (FIRST + timedelta(days=days) for days in (0, 1, 3))
    assert duplicates.accepted_later == {first: {held: 2}, second: {held: 1}}


@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sets(st.sampled_from("uvwxyz"), min_size=1), min_size=3, max_size=3),
    st.permutations([0, 1, 2]),
    st.integers(0, 2),
)
def test_every_event_is_accepted_once_in_any_order_of_three_days(
    spark: SparkSession, landed: list[set[str]], order: list[int], again: int
) -> None:
    """The days run one by one in some order, and one of them a second time."""
    accepted: dict[int, set[str]] = {}
    for day in [*order, again]:
        rows = [(day, "a", event) for event in sorted(landed[day])]
        sides = [
            held_events(spark, [(d, e) for d, ids in accepted.items() if side(d) for e in ids])
            for side in (lambda d, day=day: d < day, lambda d, day=day: d > day)
        ]
        duplicates = find_duplicates(
            parsed_events(spark, rows, frozenset()),
            load_contract(INTERACTIONS),
            earlier=sides[0],
            later=sides[1],
            within_days=3,
            persist=DataFrame.cache,
        )
        dropped = dropped_ids(duplicates)
        found = {event for number, (_, _, event) in enumerate(rows) if number not in dropped}
        assert accepted.get(day, found) == found
        accepted[day] = found
    counted = sorted(event for events in accepted.values() for event in events)
    assert counted == sorted(set().union(*landed))


def test_a_rejected_row_is_no_duplicate_and_has_none(spark: SparkSession) -> None:
    parsed = parsed_events(spark, example_rows(), frozenset({1}))
    table = load_contract(INTERACTIONS)
    duplicates = find_duplicates(
        parsed, table, earlier=None, within_days=3, persist=DataFrame.cache
    )
    assert dropped_ids(duplicates) == {3, 4}


def test_without_duplicates_nothing_is_dropped(spark: SparkSession) -> None:
    parsed = parsed_events(spark, [(0, "a", "x"), (0, "a", "y")], frozenset())
    duplicates = find_duplicates(
        parsed, load_contract(INTERACTIONS), earlier=None, within_days=3, persist=DataFrame.cache
    )
    assert duplicates.drop_from(parsed.rows) is parsed.rows


events = st.tuples(st.integers(0, 6), st.sampled_from("ab"), st.sampled_from("xyz"))


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(events, max_size=14),
    st.frozensets(st.integers(0, 13), max_size=3),
    st.lists(st.tuples(st.integers(-4, -1), st.sampled_from("xyz")), max_size=1),
    st.lists(st.tuples(st.integers(7, 10), st.sampled_from("xyz")), max_size=2),
)
def test_duplicates_equal_the_reference_implementation(
    spark: SparkSession,
    rows: list[Row],
    rejected: frozenset[int],
    earlier: list[tuple[int, str]],
    later: list[tuple[int, str]],
) -> None:
    parsed = parsed_events(spark, rows, rejected)
    before, after = (held_events(spark, held) for held in (earlier, later))
    table = load_contract(INTERACTIONS)
    duplicates = find_duplicates(
        parsed, table, earlier=before, later=after, within_days=2, persist=DataFrame.cache
    )
    expected = reference_duplicates(rows, rejected, [*earlier, *later], 2)
    assert dropped_ids(duplicates) == expected
    assert duplicates.accepted_later == reference_later(rows, expected, later, 2)


def test_of_other_feeds_the_last_row_of_a_day_stays(spark: SparkSession) -> None:
    schema = (
        f"day date, {names.FILE} string, {names.ROW_ID} bigint,"
        f" region string, {names.REASON} string"
    )
    values = [
        (FIRST, "a", 0, "north", None),
        (FIRST, "a", 1, "south", None),
        (FIRST, "b", 2, "north", None),
        (FIRST + timedelta(days=1), "a", 3, "north", None),
    ]
    contract = load_contract(feed_dataset("context"))
    frame = spark.createDataFrame(values, schema)
    parsed = ParsedFeed(feed="context", contract=contract, rows=frame, groups=())
    duplicates = find_duplicates(
        parsed, load_contract(CONTEXT), earlier=None, within_days=3, persist=DataFrame.cache
    )
    assert dropped_ids(duplicates) == {0}
