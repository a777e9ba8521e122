"""The days to land, to ingest as history, and to run; pure functions without a clock."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from grove.day import parse_day
from grove.errors import SettingsError

HISTORY_DAYS = 28
DAYS_TO_RUN = 3


@dataclass(frozen=True, kw_only=True)
class DaysToRun:
    """The days of one `make run`."""

    history_first: date
    first: date
    last: date
    ended: bool
    """Whether the source's last day is `last`, so that no run is scheduled after it."""

    @property
    def history_last(self) -> date:
        """Last day that is ingested by range."""
        return self.first - timedelta(days=1)

    @property
    def days(self) -> tuple[date, ...]:
        """Days that run through Airflow, in order."""
        count = (self.last - self.first).days + 1
        return tuple(self.first + timedelta(days=offset) for offset in range(count))

    def by_schedule(self, today: date) -> tuple[date, ...]:
        """Days that the scheduler runs: yesterday, unless the source has ended.

        A plan may be made before a midnight: its last day is then no longer scheduled.

        Args:
            today: the machine's day (UTC) at the time of the request.
        """
        is_yesterday = self.last == today - timedelta(days=1)
        return (self.last,) if is_yesterday and not self.ended else ()

    def by_backfill(self, today: date) -> tuple[date, ...]:
        """Days that need a backfill."""
        scheduled = self.by_schedule(today)
        return tuple(day for day in self.days if day not in scheduled)


def plan_days(*, today: date, known_first: date | None, days: str | None) -> DaysToRun:
    """Decide the days of a run.

    Args:
        today: the machine's day (UTC).
        known_first: first day of the source in the settings, if there is one: that of a real
            source, or the first day of an earlier `make run`.
        days: `from..to` as typed; none for all days up to yesterday.

    Returns:
        The days. Without `days`, a new source has 28 days of history and runs 3 days; a source
        that has run before runs from its first day up to yesterday.

    Raises:
        SettingsError: `days` is not `from..to`, is reversed, includes today, or begins before
            there is any history.
    """
    yesterday = today - timedelta(days=1)
    if days is None:
        began = known_first or today - timedelta(days=HISTORY_DAYS + DAYS_TO_RUN)
        first = began + timedelta(days=HISTORY_DAYS)
        return DaysToRun(history_first=began, first=first, last=yesterday, ended=False)
    first, last = parse_range(days)
    if last > yesterday:
        raise _wrong_range(days, f"a last day up to {yesterday}, the last one that is over")
    if known_first and first <= known_first:
        raise _wrong_range(
            days, f"a first day after {known_first}: the source begins there, with its history"
        )
    began = known_first or first - timedelta(days=HISTORY_DAYS)
    return DaysToRun(history_first=began, first=first, last=last, ended=last < yesterday)


def require_days_that_can_run(
    days: Sequence[date], *, today: date, known_first: date | None, landed: Collection[date]
) -> None:
    """Reject days to run again that are not over, or whose logs have not landed.

    Args:
        days: in order.
        today: the machine's day (UTC).
        known_first: first day of the source, before which there is no history; none if the
            settings name none.
        landed: the days whose logs have landed. Those of yesterday may still arrive.

    Raises:
        SettingsError: some days cannot run; the message names them.
    """
    yesterday = today - timedelta(days=1)
    ready = {yesterday, *(day for day in landed if day < yesterday)}
    rejected = [day for day in days if day not in ready or day <= (known_first or date.min)]
    if rejected:
        since = f" after {known_first}" if known_first else ""
        raise SettingsError(
            "some days cannot be run",
            where="DAY" if len(days) == 1 else "FROM and TO",
            expected=f"days{since} up to {yesterday} whose logs have landed",
            found=", ".join(f"{first}..{last}" for first, last in day_ranges(rejected)),
            next_step="correct the days, or land them first: `make run DAYS=<from>..<to>`",
        )


def parse_range(days: str) -> tuple[date, date]:
    """Read `from..to`.

    Example:
        >>> [str(day) for day in parse_range("2011-11-01..2011-11-07")]
        ['2011-11-01', '2011-11-07']
    """
    first, separator, last = days.partition("..")
    try:
        ends = parse_day(first), parse_day(last)
    except ValueError as error:
        raise _wrong_range(days, "two days, such as 2011-11-01..2011-11-07") from error
    if not separator or ends[0] > ends[1]:
        raise _wrong_range(days, "a first day that is not after the last one")
    return ends


def day_ranges(days: Iterable[date]) -> list[tuple[date, date]]:
    """First and last day of every run of consecutive days.

    Example:
        >>> days = [date(2026, 8, 1), date(2026, 8, 2), date(2026, 8, 5)]
        >>> [(first.day, last.day) for first, last in day_ranges(days)]
        [(1, 2), (5, 5)]
    """
    ranges: list[tuple[date, date]] = []
    for day in sorted(days):
        if ranges and ranges[-1][1] + timedelta(days=1) == day:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def missing_days(days: Iterable[date], succeeded: Iterable[str]) -> tuple[date, ...]:
    """Days without a successful run, in order."""
    done = set(succeeded)
    return tuple(day for day in days if str(day) not in done)


def _wrong_range(days: str, expected: str) -> SettingsError:
    return SettingsError(
        "the days cannot be run",
        where="DAYS",
        expected=expected,
        found=days,
        next_step="correct DAYS=<from>..<to>",
    )
