"""Days out of order are named with the command that runs them again."""

from __future__ import annotations

from datetime import date

from grove.quality.invariants import (
    earlier_days_current,
    left_events_kept,
    no_later_day_built,
)

DAYS = [date(2026, 8, day) for day in (20, 21, 22)]


def test_days_that_ran_before_are_named_with_the_events_they_hold() -> None:
    check = no_later_day_built(DAYS[1:], held={DAYS[1]: 3}, next_step="run `it`")
    assert (check.severity, check.passed) == ("warn", False)
    assert check.observed == (
        "2 ran before: 2026-08-21 to 2026-08-22; "
        "3 events of this day are counted on 2026-08-21; run `it`"
    )


def test_events_held_by_a_later_day_are_no_warning() -> None:
    check = no_later_day_built([], held={DAYS[1]: 3}, next_step="")
    assert check.passed
    assert check.observed == "none ran before; 3 events of this day are counted on 2026-08-21"
    assert no_later_day_built([], held={}, next_step="").observed == "none ran before"


def test_stale_days_are_named_with_what_landed_after_them() -> None:
    check = earlier_days_current({DAYS[1]: DAYS[0], DAYS[2]: DAYS[0]}, next_step="run `it`")
    assert (check.severity, check.passed) == ("warn", False)
    assert "2026-08-22 was built before 2026-08-20 landed again; run `it`" in check.observed
    assert earlier_days_current({}, next_step="").passed


def test_missing_late_events_are_counted() -> None:
    check = left_events_kept(2, left={DAYS[0]: 3}, next_step="run `it`")
    assert (check.severity, check.passed, check.unexpected_rows) == ("warn", False, 2)
    assert check.expected == "events that earlier days left to this one: 3 of 2026-08-20"
    assert left_events_kept(0, left={DAYS[0]: 3}, next_step="").passed
