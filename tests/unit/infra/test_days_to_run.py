from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import SettingsError
from infra.local.days_to_run import DaysToRun, day_ranges, missing_days, plan_days

TODAY = date(2026, 11, 20)


def test_a_new_source_gets_28_days_of_history_and_runs_3_up_to_yesterday() -> None:
    plan = plan_days(today=TODAY, known_first=None, days=None)
    assert (plan.history_first, plan.history_last) == (date(2026, 10, 20), date(2026, 11, 16))
    assert [str(day) for day in plan.days] == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert (plan.history_last - plan.history_first).days + 1 == 28


def test_yesterday_comes_by_schedule_and_the_rest_by_backfill() -> None:
    plan = plan_days(today=TODAY, known_first=None, days=None)
    assert plan.by_schedule(TODAY) == (date(2026, 11, 19),)
    assert plan.by_backfill(TODAY) == (date(2026, 11, 17), date(2026, 11, 18))


def test_after_midnight_the_last_day_of_a_plan_is_no_longer_scheduled() -> None:
    plan = plan_days(today=TODAY, known_first=None, days=None)
    tomorrow = TODAY + timedelta(days=1)
    assert plan.by_schedule(tomorrow) == ()
    assert plan.by_backfill(tomorrow) == plan.days


def test_a_later_run_continues_from_the_first_day_of_the_source() -> None:
    plan = plan_days(today=date(2026, 11, 25), known_first=date(2026, 10, 20), days=None)
    assert (plan.first, plan.last) == (date(2026, 11, 17), date(2026, 11, 24))


def test_a_source_that_has_ended_runs_by_backfill_only() -> None:
    plan = plan_days(today=TODAY, known_first=date(2010, 12, 1), days="2011-11-01..2011-11-07")
    assert plan == DaysToRun(
        history_first=date(2010, 12, 1),
        first=date(2011, 11, 1),
        last=date(2011, 11, 7),
        ended=True,
    )
    assert plan.by_schedule(TODAY) == ()
    assert plan.by_backfill(TODAY) == plan.days
    assert plan.history_last == date(2011, 10, 31)


@pytest.mark.parametrize(
    ("days", "message"),
    [
        ("2026-11-01", "two days"),
        ("2026-11-05..2026-11-01", "not after the last"),
        ("monday..tuesday", "two days"),
        ("2026-11-19..2026-11-20", "up to 2026-11-19"),
    ],
)
def test_other_ranges_are_rejected(days: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        plan_days(today=TODAY, known_first=None, days=days)


@given(length=st.integers(1, 40), ago=st.integers(1, 400))
def test_backfill_and_schedule_cover_every_day_once(length: int, ago: int) -> None:
    last = TODAY - timedelta(days=ago)
    first = last - timedelta(days=length - 1)
    plan = plan_days(today=TODAY, known_first=None, days=f"{first}..{last}")
    assert (*plan.by_backfill(TODAY), *plan.by_schedule(TODAY)) == plan.days
    assert len(plan.days) == length


def test_only_days_without_success_are_missing() -> None:
    days = (date(2026, 11, 17), date(2026, 11, 18))
    assert missing_days(days, ["2026-11-17", None]) == (date(2026, 11, 18),)


@given(st.sets(st.integers(0, 30)))
def test_ranges_hold_exactly_the_days(offsets: set[int]) -> None:
    days = {TODAY + timedelta(days=offset) for offset in offsets}
    ranges = day_ranges(days)
    inside = [
        first + timedelta(days=offset)
        for first, last in ranges
        for offset in range((last - first).days + 1)
    ]
    assert inside == sorted(days)
    assert all(
        later[0] - earlier[1] > timedelta(days=1) for earlier, later in itertools.pairwise(ranges)
    )


@pytest.mark.parametrize("first", ["2010-11-01", "2010-12-01"])
def test_days_without_history_are_rejected_before_anything_is_written(first: str) -> None:
    """Otherwise the first day of the source would move, for every later command."""
    with pytest.raises(SettingsError, match="2010-12-01") as rejected:
        plan_days(today=TODAY, known_first=date(2010, 12, 1), days=f"{first}..2011-01-07")
    assert first in rejected.value.found
