"""Invariants of the order of days: each was built on the rows that earlier days have now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from grove.contracts.verdict import CheckResult


def no_later_day_built(
    later: Sequence[date], *, held: Mapping[date, int], next_step: str
) -> CheckResult:
    """No later day ran before the rows of this day were what they are now.

    Args:
        later: later days that did, in order.
        held: later day → landed events of this day that it holds already. Those are duplicates
            here: an event is counted once, on the day that accepted it first.
        next_step: command that runs the later days again.

    Example:
        >>> day = date(2026, 8, 21)
        >>> no_later_day_built([day], held={day: 3}, next_step="make backfill").observed
        '1 ran before: 2026-08-21; 3 events of this day are counted on 2026-08-21; make backfill'
    """
    counted = [f"{rows} events of this day are counted on {day}" for day, rows in held.items()]
    ran = f"{len(later)} ran before: {_days(later)}" if later else "none ran before"
    return CheckResult(
        name="no_later_day_built",
        severity="warn",
        passed=not later,
        expected="later days run after this one",
        observed="; ".join([ran, *counted, *([next_step] if later else [])]),
        unexpected_rows=0,
    )


def earlier_days_current(stale: Mapping[date, date], *, next_step: str) -> CheckResult:
    """Every earlier day was built after the days before it landed for the last time.

    Args:
        stale: day → an earlier day that landed again after it was built.
        next_step: command that runs the stale days again.

    Example:
        >>> stale = {date(2026, 8, 21): date(2026, 8, 20)}
        >>> earlier_days_current(stale, next_step="make backfill").observed
        '2026-08-21 was built before 2026-08-20 landed again; make backfill'
    """
    built = [f"{day} was built before {landed} landed again" for day, landed in stale.items()]
    return CheckResult(
        name="earlier_days_current",
        severity="warn",
        passed=not stale,
        expected="earlier days built in order",
        observed="; ".join([*built, next_step]) if stale else "all in order",
        unexpected_rows=0,
    )


def left_events_kept(missing: int, *, left: Mapping[date, int], next_step: str) -> CheckResult:
    """Events that earlier days left to this one, since it held them first, are still here.

    Args:
        missing: late events that the day held and that its files no longer have.
        left: earlier day → landed events it left to this day.
        next_step: command that runs those days again.
    """
    days = ", ".join(f"{rows} of {day}" for day, rows in left.items())
    return CheckResult(
        name="left_events_kept",
        severity="warn",
        passed=not missing,
        expected=f"events that earlier days left to this one: {days}",
        observed=f"{missing} late events are gone; {next_step}" if missing else "all are here",
        unexpected_rows=missing,
    )


def _days(days: Sequence[date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{days[0]} to {days[-1]}"
