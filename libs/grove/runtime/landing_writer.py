"""What a collector does to the landing zone: each file appears whole, and the marker goes first.

A day that is landed again loses its marker before its first file changes, so that nobody reads a
mixture of two landings; the marker comes back at the end.
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
    """One feed's files of one day, as a source gives them."""

    @property
    def files(self) -> Iterator[bytes]:
        """Content of each file, JSON lines; taken one at a time."""
        ...

    @property
    def rows(self) -> int:
        """Lines in all files together."""
        ...

    @property
    def left_out(self) -> Mapping[str, int]:
        """Rows of the source that were not landed on purpose: reason → rows."""
        ...


def land_open_day(
    layout: Layout, day: date, feeds: Mapping[str, FeedContent], *, truth: pa.Table | None = None
) -> Marker:
    """Replace everything a day has in the landing zone, its marker last.

    Args:
        layout: paths of the home folder.
        day: landing day.
        feeds: content of each declared feed.
        truth: a simulator's true ranking of the day.
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
    """Clear what a day has in the landing zone, and write the marker of a shop that did not trade.

    Args:
        layout: paths of the home folder.
        day: landing day.
        reason: why the shop was closed, as its calendar says.
    """
    withdraw_marker(layout, day)
    _clear(layout, day, keep=())
    marker = Marker(day=day, calendar="closed", reason=reason)
    write_marker(layout, marker)
    return marker


def withdraw_marker(layout: Layout, day: date) -> None:
    """Say that a day has not landed in full; a day without a marker stays as it is."""
    Path(layout.landing_marker(day)).unlink(missing_ok=True)


def write_feed(layout: Layout, feed: str, day: date, files: Iterable[bytes]) -> int:
    """Replace one feed's files of one day.

    Args:
        layout: paths of the home folder.
        feed: one of `catalog.FEEDS`.
        day: landing day.
        files: content of each file, JSON lines; taken one at a time.

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
    """Replace a simulator's true ranking of one day."""
    with appears_whole(layout.truth(day)) as beside:
        pq.write_table(table, beside)


def _clear(layout: Layout, day: date, *, keep: Collection[str]) -> None:
    """Remove a day's truth and feeds but some: what is not landed again must not stay."""
    remove_tree(layout.truth(day))
    for feed in FEEDS:
        if feed not in keep:
            remove_tree(layout.landing_feed(feed, day))
