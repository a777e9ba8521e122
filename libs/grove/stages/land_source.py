"""Landing of days of the settings' source, as a shop's collector would do it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from grove.runtime.landing_writer import land_closed_day, land_open_day
from grove.runtime.progress import with_progress
from grove.runtime.stage_run import StageRun
from grove.settings.shop import SourceSettings
from grove.sources import FeedFiles, Source, open_source, require_days, require_feeds


def land_source(run: StageRun, days: Sequence[date]) -> None:
    """Land days in order; each reports for itself.

    Args:
        run: of the first day.
        days: to land.
    """
    values = run.settings.source
    source = source_of(values)
    require_feeds(source, values.feeds)
    require_days(source, days)
    for day in with_progress(days, "landing days"):
        _land_day(run.for_day(day), source, values.feeds)


def source_of(values: SourceSettings) -> Source:
    """Open the source that some settings name."""
    options = values.model_dump(include={"size", "seed", "first_day", "keep_seen_items"})
    return open_source(values.name, values.data, **options)


def _land_day(run: StageRun, source: Source, feeds: Sequence[str]) -> None:
    """Land the day of a run; it holds the run because every day is one."""
    calendar = source.calendar(run.day)
    if calendar.state == "closed":
        land_closed_day(run.layout, run.day, str(calendar.reason))
        run.close(str(calendar.reason))
        return
    content = source.land(run.day)
    landed: dict[str, FeedFiles] = {feed: content[feed] for feed in feeds}
    land_open_day(run.layout, run.day, landed, truth=source.truth(run.day))
    run.report.rows(out=sum(feed.rows for feed in landed.values()))
    run.report.note("rows", {name: feed.rows for name, feed in landed.items()})
    run.report.note("left_out", {name: dict(feed.left_out) for name, feed in landed.items()})
