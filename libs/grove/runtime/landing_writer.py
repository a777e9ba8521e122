"""Writing of the landing zone by a collector: atomic files, and the marker deleted first.

A repeated landing deletes the marker of the day before it changes the first file, so that no job
reads a mixture of two landings. The marker is written at the end.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from grove.datasets import FEEDS, Layout
from grove.runtime.files import appears_whole, flush_folder, list_files, remove_tree
from grove.runtime.landing import LandedFeed, Marker, write_marker


class FeedContent(Protocol):
    """One feed's files of one day, as the source provides them."""

    @property
    def files(self) -> Iterator[bytes]:
        """Content of each file, JSON lines; read one at a time."""
        ...

    @property
    def rows(self) -> int:
        """Total number of lines in all files."""
        ...

    @property
    def left_out(self) -> Mapping[str, int]:
        """Rows that the source omitted on purpose: reason → rows."""
        ...


def land_open_day(
    layout: Layout, day: date, feeds: Mapping[str, FeedContent], *, truth: pa.Table | None = None
) -> Marker:
    """Replace all files of a day in the landing zone, the marker last.

    Args:
        layout: paths of the home folder.
        day: landing day.
        feeds: content of each declared feed.
        truth: the simulator's true ranking of the day.
    """
    withdraw_marker(layout, day)
    _clear(layout, day, keep=feeds)
    landed = {
        feed: LandedFeed(
            files=write_feed(layout, feed, day, content.files),
            rows=content.rows,
            left_out=content.left_out,
        )
        for feed, content in feeds.items()
    }
    if truth is not None:
        write_truth(layout, day, truth)
    marker = Marker(day=day, feeds=landed)
    write_marker(layout, marker)
    return marker


def land_closed_day(layout: Layout, day: date, reason: str) -> Marker:
    """Clear a day in the landing zone, and write the marker of a closed shop.

    Args:
        layout: paths of the home folder.
        day: landing day.
        reason: why the shop was closed, from its calendar.
    """
    withdraw_marker(layout, day)
    _clear(layout, day, keep=())
    marker = Marker(day=day, calendar="closed", reason=reason)
    write_marker(layout, marker)
    return marker


def withdraw_marker(layout: Layout, day: date) -> None:
    """Delete a day's marker, if any: the day has not landed completely."""
    Path(layout.landing_marker(day)).unlink(missing_ok=True)


def write_feed(layout: Layout, feed: str, day: date, files: Iterable[bytes]) -> int:
    """Replace one feed's files of one day.

    Args:
        layout: paths of the home folder.
        feed: one of `grove.datasets.FEEDS`.
        day: landing day.
        files: content of each file, JSON lines; read one at a time.

    Returns:
        Number of files.
    """
    folder = Path(layout.landing_feed(feed, day))
    folder.mkdir(parents=True, exist_ok=True)
    written = set()
    for number, content in enumerate(files):
        target = folder / f"part-{number:05d}.jsonl"
        with appears_whole(target) as beside:
            beside.write_bytes(content)
        written.add(str(target))
    for path in list_files(folder):
        if path not in written:
            Path(path).unlink()
    flush_folder(folder)
    return len(written)


def write_truth(layout: Layout, day: date, table: pa.Table) -> None:
    """Replace the simulator's true ranking of one day."""
    with appears_whole(layout.truth(day)) as beside:
        pq.write_table(table, beside)


def _clear(layout: Layout, day: date, *, keep: Collection[str]) -> None:
    """Delete a day's truth and all feeds except `keep`: old files of other feeds must not stay."""
    remove_tree(layout.truth(day))
    for feed in FEEDS:
        if feed not in keep:
            remove_tree(layout.landing_feed(feed, day))
