"""Accepted, closed and missing days of a home."""

from __future__ import annotations

from datetime import date, timedelta

from grove.datasets import INTERACTIONS, Layout
from grove.errors import DataError
from grove.runtime.arguments import days_between
from grove.runtime.landing import marker_exists, read_marker
from grove.runtime.reports import find_report
from grove.runtime.tables import partition_days

INGEST_STAGE = "ingest_landing"
GAP_WINDOW_DAYS = 28
"""Number of days for which a missing day is reported. Histories are bounded by events, not by
days: without this bound, a lost day would be reported forever."""


def newest_accepted_day(layout: Layout, before: date) -> date | None:
    """Newest day before another with interactions, if any."""
    earlier = accepted_days(layout, before)
    return earlier[-1] if earlier else None


def accepted_days(layout: Layout, before: date) -> list[date]:
    """Days before another with interactions, in order; ingest commits interactions last."""
    return [day for day in partition_days(layout, INTERACTIONS) if day < before]


def gap_days(layout: Layout, day: date) -> tuple[date, ...]:
    """Missing days since the first accepted day, within `GAP_WINDOW_DAYS` before a day.

    A day on which the shop was closed is not missing. Without an earlier accepted day, no day is
    missing.
    """
    accepted = accepted_days(layout, day)
    if not accepted:
        return ()
    first = max(accepted[0], day - timedelta(days=GAP_WINDOW_DAYS))
    missing = sorted(set(days_between(first, day - timedelta(days=1))) - set(accepted))
    return tuple(one for one in missing if not was_closed(layout, one))


def was_closed(layout: Layout, day: date) -> bool:
    """Whether the shop was closed according to the day's ingest report or landing marker."""
    report = find_report(layout, day, INGEST_STAGE)
    if report is not None and report.status == "closed":
        return True
    return marker_exists(layout, day) and read_marker(layout, day).closed


def require_history(layout: Layout, day: date) -> date:
    """Newest accepted day before a day.

    Raises:
        DataError: there is none; the message explains how to ingest history.
    """
    newest = newest_accepted_day(layout, day)
    if newest is None:
        raise DataError(
            "there are no accepted days before this one",
            where=f"{layout.table(INTERACTIONS)}, days before {day}",
            expected="at least one accepted earlier day",
            found="none",
            next_step=(
                "land earlier days and ingest them in one pass: "
                f"jobs/ingest_landing.py --from FIRST --to {day - timedelta(days=1)}"
            ),
        )
    return newest
