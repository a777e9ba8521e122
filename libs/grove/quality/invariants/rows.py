"""Invariants of landed rows: all accounted for, and as many as usual."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from grove.contracts.contract import Severity
from grove.contracts.verdict import CheckResult


def rows_conserved(landed: int, accepted: int, duplicates: int, quarantined: int) -> CheckResult:
    """Every landed row is accepted, a duplicate, or in quarantine; none is lost or invented.

    Example:
        >>> rows_conserved(10, 7, 1, 1).observed
        '7 accepted + 1 duplicates + 1 quarantined = 9'
    """
    found = accepted + duplicates + quarantined
    return CheckResult(
        name="rows_conserved",
        severity="fail",
        passed=landed == found,
        expected=f"{landed} landed rows accounted for",
        observed=(
            f"{accepted} accepted + {duplicates} duplicates + {quarantined} quarantined = {found}"
        ),
        unexpected_rows=abs(landed - found),
    )


def one_row_per_user(name: str, *, rows: int, users: int) -> CheckResult:
    """As many rows as users with a history; the contract checks that no user occurs twice.

    Args:
        name: name of the check, which states what every user received.
        rows: rows of the stage's output.
        users: histories of its input.

    Example:
        >>> one_row_per_user("every_user_encoded", rows=50, users=61).unexpected_rows
        11
    """
    return CheckResult(
        name=name,
        severity="fail",
        passed=rows == users,
        expected=f"{users} users, as many as histories",
        observed=f"{rows} rows",
        unexpected_rows=abs(rows - users),
    )


def quarantined_share(
    quarantined: int, landed: int, *, warn_above: float, fail_above: float
) -> tuple[CheckResult, CheckResult]:
    """A small share of invalid rows is normal; a large one means a broken collector.

    Args:
        quarantined: rejected rows.
        landed: landed rows.
        warn_above: share, 0 to 1, above which the gate warns.
        fail_above: share, 0 to 1, above which the day is rejected.

    Returns:
        The `warn` and the `fail` check, in this order.
    """
    share = quarantined / landed if landed else 0.0
    result = CheckResult(
        name="quarantined_share",
        severity="warn",
        passed=True,
        expected="of landed rows in quarantine",
        observed=f"{quarantined} of {landed} rows ({share:.1%})",
        unexpected_rows=quarantined,
    )
    return _two_limits(result, share, warn_above=warn_above, fail_above=fail_above)


def _two_limits(
    result: CheckResult, share: float, *, warn_above: float, fail_above: float
) -> tuple[CheckResult, CheckResult]:
    """The `warn` and the `fail` check of a share; `expected` names what the share is of."""

    def at_most(limit: float, severity: Severity) -> CheckResult:
        return replace(
            result,
            name=f"{result.name}_{severity}",
            severity=severity,
            passed=share <= limit,
            expected=f"at most {limit:.1%} {result.expected}",
        )

    return at_most(warn_above, "warn"), at_most(fail_above, "fail")


def rows_as_announced(found: int, announced: int) -> CheckResult:
    """As many rows as the marker says; otherwise some were lost on their way, or landed twice."""
    return CheckResult(
        name="landed_as_announced",
        severity="fail",
        passed=found == announced,
        expected=f"{announced} rows, as the marker says",
        observed=f"{found} rows",
    )


def files_as_announced(found: int, announced: int) -> CheckResult:
    """As many files as the marker says; rows are what counts, so this only warns."""
    return CheckResult(
        name="files_as_announced",
        severity="warn",
        passed=found == announced,
        expected=f"{announced} files, as the marker says",
        observed=f"{found} files",
    )


def rows_on_open_day(rows: int) -> CheckResult:
    """A day on which the shop was open has at least one row."""
    return CheckResult(
        name="rows_on_open_day",
        severity="fail",
        passed=rows > 0,
        expected="at least 1 row on an open day",
        observed=f"{rows} rows",
    )


def volume_like_weekday(rows: int, past_rows: Sequence[int], *, ratio: float) -> CheckResult:
    """The row count m is close to the median of the same weekday: m̃ / ratio ≤ m ≤ m̃ · ratio.

    Traffic of a shop has a weekly pattern, so other weekdays are not comparable.

    Args:
        rows: rows of the day.
        past_rows: rows of earlier days with the same weekday; may be empty.
        ratio: largest factor between the day and the median, above 1.
    """
    usual = statistics.median(past_rows) if past_rows else None
    days = len(past_rows)
    return CheckResult(
        name="volume_like_weekday",
        severity="warn",
        passed=usual is None or usual / ratio <= rows <= usual * ratio,
        expected=(
            "no earlier day of this weekday to compare with"
            if usual is None
            else f"{usual / ratio:.0f} to {usual * ratio:.0f} rows, as on {days} such days"
        ),
        observed=f"{rows} rows",
    )


def no_gap(missing_days: Iterable[date], *, fail: bool) -> CheckResult:
    """No day in the stage's window is missing or was rejected.

    Args:
        missing_days: the gaps; every later day whose window contains a gap names it.
        fail: whether a gap rejects the day (a setting); otherwise it is a warning.
    """
    gaps = sorted(missing_days)
    return CheckResult(
        name="no_gap",
        severity="fail" if fail else "warn",
        passed=not gaps,
        expected="every earlier day accepted",
        observed=f"missing: {', '.join(map(str, gaps))}" if gaps else "every earlier day accepted",
    )


def known_items(
    unknown: int, events: int, *, warn_above: float, fail_above: float, before: str
) -> tuple[CheckResult, CheckResult]:
    """Nearly all events are of items that the catalogue had by the day of the event.

    Events of other items are kept, but no model ranks such an item. A large share means a catalogue
    that has not landed, or that spells item ids in another way than the events do.

    Args:
        unknown: accepted events of items without a row in `items` as of the day.
        events: accepted events.
        warn_above: share, 0 to 1, above which the gate warns.
        fail_above: share, 0 to 1, above which the day is rejected; 1 never rejects.
        before: the share of the accepted day before, as text.

    Returns:
        The `warn` and the `fail` check, in this order.
    """
    share = unknown / events if events else 0.0
    result = CheckResult(
        name="unknown_items",
        severity="warn",
        passed=True,
        expected="of events on items that are not in the catalogue",
        observed=f"{unknown} of {events} events ({share:.1%}); {before}",
        unexpected_rows=unknown,
    )
    return _two_limits(result, share, warn_above=warn_above, fail_above=fail_above)
