"""Interface of a source: all that the landing job knows about a shop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Protocol, TypeVar

import pyarrow as pa

from grove.errors import SettingsError

T = TypeVar("T")


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


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """Settings that a source may read."""

    data: str | None
    """Folder or file of an outside data set."""
    size: str
    """Size of a simulated shop."""
    seed: int
    """Seed of a simulated shop."""
    first_day: date | None
    """First day of the shop."""
    keep_seen_items: bool
    """Whether a simulator's true ranking contains items that the user interacted with."""


@dataclass(frozen=True, kw_only=True)
class SourceKind:
    """Declaration of a source, which its module assigns to `SOURCE`."""

    open: Callable[[SourceOptions], Source]
    """Open the source; a `SettingsError` where an option it needs is missing or wrong."""
    needs_data: bool = True
    """Whether `make run` must be given the data set's folder."""
    has_size: bool = False
    """Whether the shop is simulated, and so has a size that can be chosen."""


def required(setting: str, value: T | None, meaning: str) -> T:
    """The value of an option that this source cannot do without.

    Args:
        setting: its key in the settings file, such as `source.data`.
        value: of the option.
        meaning: the value, in words, for the message.

    Raises:
        SettingsError: there is no value.
    """
    if value is None:
        raise SettingsError(
            "a setting is missing",
            where=f"settings, {setting}",
            expected=meaning,
            found="nothing",
            next_step=f"set {setting}",
        )
    return value
