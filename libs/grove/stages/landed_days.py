"""What landed on some days: which are open, and the files of every declared feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath

from grove.errors import DataError
from grove.interactions import LandedFiles
from grove.runtime.landing import Marker, feed_files, read_marker
from grove.runtime.stage_run import StageRun


def open_days(stage: StageRun, days: Iterable[date]) -> dict[date, Marker]:
    """Read the markers of the days, and end the days on which the shop was closed.

    Returns:
        The days that were open, with their markers.

    Raises:
        DataError: a day has not landed, or is closed and has rows all the same.
    """
    markers = [read_marker(stage.layout, day) for day in days]
    for marker in markers:
        if marker.closed:
            _require_no_rows(stage, marker)
            stage.for_day(marker.day).close(marker.reason or "closed by the source's calendar")
    return {marker.day: marker for marker in markers if not marker.closed}


def declared_files(stage: StageRun, opened: Mapping[date, Marker]) -> list[LandedFiles]:
    """The files of every feed the source declares, over all open days.

    Raises:
        DataError: a declared feed has no file, or is not in the marker, on one of the days; all
            of them are named.
    """
    feeds = stage.settings.source.feeds
    found: dict[tuple[str, date], list[str]] = {
        (feed, day): feed_files(stage.layout, feed, day) for feed in feeds for day in opened
    }
    _require_landed(stage, found, opened)
    return [
        LandedFiles(
            feed=feed,
            folder=str(PurePosixPath(stage.layout.landing_feed(feed, min(opened))).parent),
            paths=[path for day in opened for path in found[feed, day]],
        )
        for feed in feeds
    ]


def _require_landed(
    stage: StageRun, found: Mapping[tuple[str, date], Sequence[str]], opened: Mapping[date, Marker]
) -> None:
    """Refuse feeds without files or without their entry in the marker, and say where to look."""
    without_files = [pair for pair, files in found.items() if not files]
    not_announced = [(feed, day) for feed, day in found if feed not in opened[day].feeds]
    missing = [pair for pair in found if pair in without_files or pair in not_announced]
    if not missing:
        return
    layout = stage.layout
    places = [layout.landing_feed(feed, day) for feed, day in without_files]
    places += sorted({layout.landing_marker(day) for _, day in not_announced})
    lacking = [f"no files of {feed} of {day}" for feed, day in without_files]
    lacking += [f"no entry of {feed} in the marker of {day}" for feed, day in not_announced]
    raise DataError(
        f"a declared feed has not landed: {', '.join(f'{feed} of {day}' for feed, day in missing)}",
        where=", ".join(places),
        expected=f"files of {', '.join(stage.settings.source.feeds)}, named in the day's marker",
        found="; ".join(lacking),
        next_step="land the day again, or take the feed out of source.feeds",
    )


def _require_no_rows(stage: StageRun, marker: Marker) -> None:
    rows = sum(feed.rows for feed in marker.feeds.values())
    if rows:
        raise DataError(
            "a closed day has rows",
            where=stage.layout.landing_marker(marker.day),
            expected="no rows, or a calendar that says open",
            found=f"{rows} rows",
            next_step="correct the collector's calendar and land the day again",
        )
