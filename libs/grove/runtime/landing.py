"""The landing zone: one folder per feed and day, and a marker that is written last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from grove.datasets import Layout
from grove.day import parse_day
from grove.errors import DataError
from grove.runtime.files import list_files, read_json, write_json


@dataclass(frozen=True, kw_only=True)
class LandedFeed:
    """A marker's counts of one feed."""

    files: int
    rows: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that the source omitted on purpose: reason → rows."""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """A day's marker file: the day has landed completely, or the shop was closed."""

    day: date
    calendar: Literal["open", "closed"] = "open"
    reason: str | None = None
    feeds: Mapping[str, LandedFeed] = field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether the shop was closed on that day according to the source's calendar."""
        return self.calendar == "closed"


def marker_exists(layout: Layout, day: date) -> bool:
    """Whether a day has landed completely."""
    return Path(layout.landing_marker(day)).is_file()


def read_marker(layout: Layout, day: date) -> Marker:
    """Read a day's marker.

    Raises:
        DataError: the day has no marker, or the marker is malformed or names another day.
    """
    path = layout.landing_marker(day)
    if not Path(path).is_file():
        raise DataError(
            "the day has not landed",
            where=path,
            expected="a marker file, which the collector writes after the last feed",
            found="no file",
            next_step="wait for the collector, or land the day again",
        )
    try:
        marker = _parse_marker(read_json(path))
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise _malformed(path, f"{type(error).__name__}: {error}") from error
    if marker.day != day or marker.calendar not in ("open", "closed"):
        raise _malformed(path, f"day {marker.day}, calendar {marker.calendar!r}")
    return marker


def write_marker(layout: Layout, marker: Marker) -> None:
    """Write a day's marker atomically, after all other files of the day."""
    feeds = {
        name: {"files": feed.files, "rows": feed.rows}
        | ({"left_out": dict(feed.left_out)} if feed.left_out else {})
        for name, feed in marker.feeds.items()
    }
    write_json(
        layout.landing_marker(marker.day),
        {
            "day": marker.day.isoformat(),
            "calendar": marker.calendar,
            "reason": marker.reason,
            "feeds": feeds,
        },
    )


def feed_files(layout: Layout, feed: str, day: date) -> list[str]:
    """Paths of one feed's files of one day, sorted; empty if the folder does not exist."""
    return list_files(layout.landing_feed(feed, day))


def _parse_marker(value: dict[str, Any]) -> Marker:
    feeds = {
        name: LandedFeed(
            files=int(feed["files"]), rows=int(feed["rows"]), left_out=feed.get("left_out", {})
        )
        for name, feed in value.get("feeds", {}).items()
    }
    return Marker(
        day=parse_day(value["day"]),
        calendar=value.get("calendar", "open"),
        reason=value.get("reason"),
        feeds=feeds,
    )


def _malformed(path: str, found: str) -> DataError:
    return DataError(
        "a landing marker is malformed",
        where=path,
        expected='{"day": "YYYY-MM-DD", "calendar": "open" or "closed", "reason": …, "feeds": …}',
        found=found,
        next_step="correct the collector and land the day again",
    )
