"""The only clock of the project; the day of a run is an argument and never read from here."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


def utc_now() -> datetime:
    """Current time in UTC, with its zone."""
    return datetime.now(UTC)


def utc_today() -> date:
    """Current day in UTC."""
    return utc_now().date()


class Stopwatch:
    """Seconds since its creation, from a monotonic clock.

    Example:
        >>> Stopwatch().seconds() >= 0
        True
    """

    def __init__(self) -> None:
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the creation of the stopwatch."""
        return time.monotonic() - self._started
