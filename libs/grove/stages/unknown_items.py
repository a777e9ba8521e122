"""Events compared with the catalogue: accepted events of items that it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import cast

import pyarrow as pa
import pyarrow.compute as pc

from grove.contracts import CheckResult
from grove.datasets import INTERACTIONS, ITEMS, Dataset, Layout
from grove.quality.invariants import known_items
from grove.runtime.conform import Frame
from grove.runtime.days import INGEST_STAGE
from grove.runtime.reports import find_report
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import partition_days, read_arrow

_NOTE = "unknown_items"
"""Note of an ingest report: events of items that are not in the catalogue, and all events."""


def count_unknown_items(
    layout: Layout, frames: Mapping[Dataset, Frame], days: Sequence[date]
) -> dict[date, tuple[int, int]]:
    """Count the events of items without a row in `items` by the day of the event.

    Args:
        layout: paths of the home.
        frames: new rows of `interactions` and `items`, not yet written.
        days: ingested days, in order.

    Returns:
        Day → events of unknown items, all events.
    """
    events = _events_per_item(frames[INTERACTIONS])
    earlier = [day for day in partition_days(layout, ITEMS) if day < days[0]]
    known = [read_arrow(layout, ITEMS, columns=["item_id"], day=earlier)["item_id"]]
    landed = _landed_items(frames[ITEMS])
    counts = {}
    for day in days:
        known.append(landed.filter(pc.field("day") == pa.scalar(day))["item_id"])
        of_day = events.filter(pc.field("day") == pa.scalar(day))
        names = pa.chunked_array(
            [chunk for column in known for chunk in column.chunks], pa.string()
        )
        unknown = of_day.filter(pc.invert(pc.is_in(of_day["item_id"], names)))
        counts[day] = (_sum(unknown), _sum(of_day))
    return counts


def catalogue_checks(
    run: StageRun, counts: Mapping[date, tuple[int, int]], accepted: Sequence[date]
) -> Iterator[CheckResult]:
    """Check a day's share of events on unknown items, which it also reports.

    Args:
        run: of the day.
        counts: see `count_unknown_items`; without the day where the source has no catalogue feed.
        accepted: days that have interactions.
    """
    if run.day not in counts:
        return
    unknown, events = counts[run.day]
    run.report.note(_NOTE, [unknown, events])
    limits = run.settings.ingest
    yield from known_items(
        unknown,
        events,
        warn_above=limits.warn_unknown_items_share,
        fail_above=limits.max_unknown_items_share,
        before=_day_before(run, counts, accepted),
    )


def _day_before(
    run: StageRun, counts: Mapping[date, tuple[int, int]], accepted: Sequence[date]
) -> str:
    """The same share of the newest accepted day before, of this run or reported."""
    newest = max((day for day in (*counts, *accepted) if day < run.day), default=None)
    if newest is None:
        return "no day before"
    report = None if newest in counts else find_report(run.layout, newest, INGEST_STAGE)
    unknown, events = counts.get(newest) or (report.unknown_items if report else None) or (0, 0)
    return f"{unknown / events:.1%} on {newest}" if events else f"not counted on {newest}"


def _events_per_item(events: Frame) -> pa.Table:
    by = ["day", "item_id"]
    if isinstance(events, pa.Table):
        return events.group_by(by).aggregate([([], "count_all")]).rename_columns([*by, "events"])
    return events.groupBy(*by).count().withColumnRenamed("count", "events").toArrow()


def _landed_items(items: Frame) -> pa.Table:
    if isinstance(items, pa.Table):
        return items.select(["day", "item_id"])
    return items.select("day", "item_id").toArrow()


def _sum(rows: pa.Table) -> int:
    return cast("int", pc.sum(rows["events"]).as_py() or 0)
