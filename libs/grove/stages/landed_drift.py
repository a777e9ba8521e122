"""Drift of a landed feed against the days before, as their reports describe it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import pyspark.sql.functions as F  # noqa: N812

from grove.contracts import CheckResult
from grove.datasets import Layout
from grove.interactions import FeedShape, ParsedFeed
from grove.quality.invariants import columns_as_before, filled_as_before, values_as_before
from grove.runtime.reports import StageReport, find_report
from grove.settings.shop import IngestSettings

Shapes = Mapping[date, FeedShape]

DAYS_COMPARED = 7


@dataclass(frozen=True, kw_only=True)
class FeedDrift:
    """A feed's shape on a day, and on the days before."""

    shape: FeedShape
    before: Mapping[date, FeedShape]
    """Shapes of the accepted ones of the last days."""
    new_rows: Mapping[str, Mapping[str, int]]
    """Categorical column → value that no earlier day had → rows with it."""


def shapes_of(parsed: Mapping[str, ParsedFeed], days: Iterable[date]) -> dict[str, Shapes]:
    """Feed → day → shape, of the feeds and days of a run."""
    chosen = tuple(days)
    return {feed: {day: each.shape(day) for day in chosen} for feed, each in parsed.items()}


def drifts_of_day(
    layout: Layout, day: date, parsed: Mapping[str, ParsedFeed], shapes: Mapping[str, Shapes]
) -> dict[str, FeedDrift]:
    """Compare each feed of a day with the last days, of the same run or reported before.

    Args:
        layout: paths of the home.
        day: the day.
        parsed: feeds of the run.
        shapes: feed → day of the run → shape.
    """
    reports = {
        earlier: find_report(layout, earlier, "ingest_landing")
        for earlier in (day - timedelta(days=back) for back in range(1, DAYS_COMPARED + 1))
    }
    return {feed: _feed_drift(each, day, reports, shapes[feed]) for feed, each in parsed.items()}


def _feed_drift(
    feed: ParsedFeed, day: date, reports: Mapping[date, StageReport | None], run_shapes: Shapes
) -> FeedDrift:
    found = {
        earlier: run_shapes.get(earlier) or _reported_shape(report, feed.feed)
        for earlier, report in reports.items()
    }
    before = {earlier: shape for earlier, shape in found.items() if shape and shape.rows}
    shape = run_shapes[day]
    return FeedDrift(shape=shape, before=before, new_rows=_new_rows(feed, day, shape, before))


def drift_checks(drift: FeedDrift, limits: IngestSettings) -> Iterator[CheckResult]:
    """The warnings of a feed that looks different from the days before."""
    columns = drift.shape.filled if drift.shape.rows else {}
    shares = {name: drift.shape.share(name) for name in columns}
    shares_before = {
        day: {name: shape.share(name) for name in shape.filled}
        for day, shape in drift.before.items()
    }
    yield columns_as_before(
        shares,
        drift.shape.unknown,
        shares_before=shares_before,
        unknown_before=[name for shape in drift.before.values() for name in shape.unknown],
    )
    yield filled_as_before(
        shares, shares_before=shares_before, largest_change=limits.warn_share_change
    )
    yield values_as_before(
        drift.new_rows,
        drift.shape.rows,
        largest_share=limits.warn_new_values_share,
        days_before=drift.before,
    )


def _reported_shape(report: StageReport | None, feed: str) -> FeedShape | None:
    if report is None or report.status != "committed":
        return None
    notes = report.landed_shapes.get(feed)
    return FeedShape.from_notes(notes) if notes else None


def _new_rows(
    feed: ParsedFeed, day: date, shape: FeedShape, before: Shapes
) -> dict[str, dict[str, int]]:
    """Rows by new value; they are counted only where there is a new value."""
    found: dict[str, dict[str, int]] = {}
    for column, values in shape.values.items():
        known = {value for shape in before.values() for value in shape.values.get(column, ())}
        new = sorted(set(values) - known) if known else []
        if new:
            rows = feed.rows.where((F.col("day") == day) & F.col(column).isin(new))
            counted = rows.groupBy(column).count().orderBy(F.desc("count"), column).collect()
            found[column] = {line[column]: line["count"] for line in counted}
    return found
