"""Landed days: their markers, and the files of every declared feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from grove.datasets import Layout
from grove.errors import DataError
from grove.interactions import LandedFeedFiles
from grove.landed import LandedFile, landed_files
from grove.runtime.landing import Marker, feed_files, read_marker


def read_days(layout: Layout, days: Iterable[date]) -> list[Marker]:
    """Read the markers of some days.

    Raises:
        DataError: a day has not landed, or is closed and yet has rows.
    """
    markers = [read_marker(layout, day) for day in days]
    for marker in markers:
        if marker.closed:
            _require_no_rows(layout, marker)
    return markers


def declared_files(
    layout: Layout, feeds: Sequence[str], opened: Mapping[date, Marker]
) -> list[LandedFeedFiles]:
    """The files of every feed the source declares, over all open days.

    Args:
        layout: paths of the home.
        feeds: that the source declares.
        opened: the open days and their markers.

    Raises:
        DataError: a declared feed has no file, or is not in the marker, on one of the days; all
            of them are named. Or a file cannot be read.
    """
    found: dict[tuple[str, date], list[LandedFile]] = {
        (feed, day): landed_files(
            layout.landing_feed(feed, day), day, feed_files(layout, feed, day)
        )
        for feed in feeds
        for day in opened
    }
    _require_landed(layout, found, opened)
    return [
        LandedFeedFiles(feed=feed, files=[file for day in opened for file in found[feed, day]])
        for feed in feeds
    ]


def _require_landed(
    layout: Layout,
    found: Mapping[tuple[str, date], Sequence[LandedFile]],
    opened: Mapping[date, Marker],
) -> None:
    """Reject feeds without files or without their entry in the marker; name where to look."""
    without_files = [pair for pair, files in found.items() if not files]
    not_announced = [(feed, day) for feed, day in found if feed not in opened[day].feeds]
    missing = [pair for pair in found if pair in without_files or pair in not_announced]
    if not missing:
        return
    feeds = dict.fromkeys(feed for feed, _ in found)
    places = [layout.landing_feed(feed, day) for feed, day in without_files]
    places += sorted({layout.landing_marker(day) for _, day in not_announced})
    lacking = [f"no files of {feed} of {day}" for feed, day in without_files]
    lacking += [f"no entry of {feed} in the marker of {day}" for feed, day in not_announced]
    raise DataError(
        f"a declared feed has not landed: {', '.join(f'{feed} of {day}' for feed, day in missing)}",
        where=", ".join(places),
        expected=f"files of {', '.join(feeds)}, named in the day's marker",
        found="; ".join(lacking),
        next_step="land the day again, or take the feed out of source.feeds",
    )


def _require_no_rows(layout: Layout, marker: Marker) -> None:
    rows = sum(feed.rows for feed in marker.feeds.values())
    if rows:
        raise DataError(
            "a closed day has rows",
            where=layout.landing_marker(marker.day),
            expected="no rows, or a calendar that says open",
            found=f"{rows} rows",
            next_step="correct the collector's calendar and land the day again",
        )
