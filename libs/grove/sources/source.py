"""What a source of days is: the only thing the landing job knows about a shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol

import pyarrow as pa


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """Whether the shop traded on a day, and the reason if it did not."""

    state: Literal["open", "closed"] = "open"
    reason: str | None = None
    """Why the shop was closed; none on an open day."""


@dataclass(frozen=True, kw_only=True)
class FeedFiles:
    """One feed's files of one day, ready to be written as they are."""

    files: Iterator[bytes]
    """Content of each file, made while it is read: a large day never lies in memory whole."""
    rows: int
    """Lines in all files together, broken ones included."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows of the source that were not landed on purpose: reason → rows."""


class Source(Protocol):
    """A shop whose days can be landed; every method is deterministic."""

    @property
    def name(self) -> str:
        """Name under which `open_source` finds it."""
        ...

    @property
    def feeds(self) -> tuple[str, ...]:
        """Feeds this source has; each is landed on every open day."""
        ...

    def days_available(self) -> tuple[date, date | None]:
        """First and last day the source knows; no last day when it never ends."""
        ...

    def calendar(self, day: date) -> CalendarDay:
        """Whether the shop traded on a day of `days_available`."""
        ...

    def land(self, day: date) -> dict[str, FeedFiles]:
        """Files of every feed of an open day."""
        ...

    def truth(self, day: date) -> pa.Table | None:
        """True ranking per user, where the source is a simulator; none elsewhere."""
        ...
