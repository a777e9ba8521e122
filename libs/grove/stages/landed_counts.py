"""Counts of landed rows: accepted, repeated and quarantined, by feed and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from grove.datasets import FEED_DATASETS, QUARANTINE, Dataset
from grove.interactions import FeedCounts, Ingested
from grove.runtime.conform import Frame

Counts = Mapping[str, Mapping[date, FeedCounts]]
"""Feed → day → rows."""


def count_feeds(
    ingested: Ingested, frames: Mapping[Dataset, Frame], days: Iterable[date]
) -> dict[str, dict[date, FeedCounts]]:
    """Count what landed, and where it is now.

    Args:
        ingested: feeds as they were read.
        frames: the rows that are about to be written.
        days: landing days.
    """
    refused: dict[tuple[str, date], dict[str, int]] = {}
    for (feed, day, reason), rows in _count(frames[QUARANTINE], "feed", "day", "reason").items():
        refused.setdefault((feed, day), {})[reason] = rows
    accepted = {feed: _count(frames[FEED_DATASETS[feed]], "day") for feed in ingested.parsed}
    return {
        feed: {
            day: FeedCounts(
                landed=parsed.rows_landed(day),
                accepted=accepted[feed].get((day,), 0),
                duplicates=ingested.duplicates[feed].rows_by_day.get(day, 0),
                quarantined=refused.get((feed, day), {}),
            )
            for day in days
        }
        for feed, parsed in ingested.parsed.items()
    }


def _count(frame: Frame, *columns: str) -> dict[tuple[Any, ...], int]:
    """Rows per combination of values."""
    if isinstance(frame, pa.Table):
        lines = frame.group_by(columns).aggregate([([], "count_all")]).to_pylist()
        return {tuple(line[name] for name in columns): line["count_all"] for line in lines}
    counted = frame.groupBy(*columns).count().collect()
    return {tuple(line[name] for name in columns): line["count"] for line in counted}
