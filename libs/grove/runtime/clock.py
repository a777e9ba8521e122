"""The only clock of the project; a day that decides anything is an argument, never read here."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime


def utc_now() -> datetime:
    """Time of the machine, with its zone, in UTC."""
    return datetime.now(UTC)


def utc_today() -> date:
    """Day of the machine in UTC."""
    return utc_now().date()


class Stopwatch:
    """Seconds since it was made, from a clock that never runs backwards.

    Example:
        >>> Stopwatch().seconds() >= 0
        True
    """

    def __init__(self) -> None:
        self._started = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the stopwatch was made."""
        return time.monotonic() - self._started
