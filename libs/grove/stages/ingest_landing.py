"""Ingest some days at once: read, judge, and commit each day by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from grove.contracts import CheckResult, Verdict, load_contract
from grove.datasets import FEED_DATASETS, INGESTED, INTERACTIONS, ITEMS, Dataset
from grove.interactions import Earlier, FeedCounts, Ingested, Limits, ingest_feeds
from grove.quality import validate_dataset
from grove.quality.invariants import (
    no_gap,
    quarantined_share,
    rows_conserved,
    rows_on_open_day,
    volume_like_weekday,
)
from grove.runtime.conform import Frame, rows_of_days
from grove.runtime.landing import Marker
from grove.runtime.reports import find_report
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_spark
from grove.stages.landed_counts import Counts, count_feeds
from grove.stages.landed_days import declared_files

Markers = Mapping[date, Marker]

ROWS_AT_HAND = 200_000
"""A table of at most so many new rows is judged and written by this process.

Spark needs seconds to start the dozen small tasks of a gate and a Delta commit; for few rows
Arrow does the same in tenths. More rows than this stay in Spark, whatever the machine.
"""
WEEKS_COMPARED = 4


def ingest_days(stage: StageRun, opened: Markers) -> None:
    """Ingest open days in one pass, as one unit of work and many of acceptance.

    Args:
        stage: of the first day; other days report under their own.
        opened: the open days and their markers.

    Raises:
        DataError: a declared feed is missing, or lacks a required column.
    """
    ingested = _ingest(stage, opened)
    frames = {dataset: _hold(stage, ingested, dataset) for dataset in ingested.tables}
    counts = count_feeds(ingested, frames, opened)
    _report(stage, counts, ingested.extra_columns())
    for dataset in INGESTED:
        if dataset not in frames:
            _tell_undeclared(stage, dataset, opened)
    stage.commit_days(
        [
            (dataset, frames[dataset], _verdicts(stage, dataset, frames[dataset], counts, opened))
            for dataset in INGESTED
            if dataset in frames
        ]
    )


def _ingest(stage: StageRun, opened: Markers) -> Ingested:
    files = declared_files(stage, opened)
    spark = stage.spark()
    wish, first = stage.settings.ingest, min(opened)
    interactions, items = (
        read_spark(spark, stage.layout, dataset) for dataset in (INTERACTIONS, ITEMS)
    )
    looked_back = [first - timedelta(days=days + 1) for days in range(wish.lateness_days)]
    return ingest_feeds(
        spark,
        files,
        earlier=Earlier(
            interactions=interactions.where(interactions["day"].isin(looked_back)),
            items=items.where(items["day"] < first),
        ),
        limits=Limits(max_price=wish.max_price, lateness_days=wish.lateness_days),
        persist=stage.persist,
    )


def _hold(stage: StageRun, ingested: Ingested, dataset: Dataset) -> Frame:
    """The rows of a table so that they are computed once, whatever reads them."""
    frame = ingested.tables[dataset]
    if ingested.most_rows(dataset) <= ROWS_AT_HAND:
        return frame.toArrow()
    if dataset == INTERACTIONS:
        # Only selected from rows that are kept already.
        return frame
    kept = stage.persist(frame)
    # The bound of a table that is counted from events is far above its rows.
    return kept.toArrow() if kept.count() <= ROWS_AT_HAND else kept


def _report(stage: StageRun, counts: Counts, extra_columns: Mapping[str, Sequence[str]]) -> None:
    for day in counts["events"]:
        report, events = stage.for_day(day).report, counts["events"][day]
        report.rows(in_=events.landed, out=events.accepted, rejected=events.rejected)
        report.note("feeds", {feed: by_day[day].as_json() for feed, by_day in counts.items()})
        report.note("extra_columns", extra_columns)


def _tell_undeclared(stage: StageRun, dataset: Dataset, opened: Markers) -> None:
    """A gate reads a verdict of every table, so one that is absent by design has one too."""
    result = CheckResult(
        name="feed_declared",
        severity="warn",
        passed=True,
        expected=f"rows only where the source declares a feed for {dataset.name}",
        observed="the source declares none",
    )
    for day in opened:
        stage.for_day(day).record(Verdict(dataset.name, (result,)))


def _verdicts(
    stage: StageRun, dataset: Dataset, rows: Frame, counts: Counts, opened: Markers
) -> dict[date, Verdict]:
    """One pass over all days; only when a check fell in it is each day judged by itself."""
    contract = load_contract(dataset)
    name = " to ".join(sorted({str(min(opened)), str(max(opened))}))
    judged = validate_dataset(
        contract, rows, run_name=f"{name} ingest_landing", docs_folder=stage.docs_folder
    )
    verdicts = dict.fromkeys(opened, replace(judged, seconds=judged.seconds / len(opened)))
    if (judged.failures or judged.warnings) and len(opened) > 1:
        for day in opened:
            of_day = rows_of_days(rows, [day])
            verdicts[day] = validate_dataset(contract, of_day, run_name=f"{day} ingest_landing")
    return {
        day: replace(
            each, results=(*each.results, *_invariants(stage, dataset, counts, opened[day]))
        )
        for day, each in verdicts.items()
    }


def _invariants(
    stage: StageRun, dataset: Dataset, counts: Counts, marker: Marker
) -> Iterator[CheckResult]:
    for feed, by_day in counts.items():
        if FEED_DATASETS[feed] == dataset:
            yield from _of_feed(stage, by_day[marker.day], marker.feeds[feed].rows)
    if dataset == INTERACTIONS:
        yield from _of_events(stage, counts["events"], marker.day)


def _of_feed(stage: StageRun, counts: FeedCounts, announced: int) -> Iterator[CheckResult]:
    wish = stage.settings.ingest
    yield rows_conserved(counts.landed, counts.accepted, counts.duplicates, counts.rejected)
    yield CheckResult(
        name="landed_as_announced",
        severity="fail",
        passed=counts.landed == announced,
        expected=f"{announced} rows, as the marker says",
        observed=f"{counts.landed} rows",
    )
    yield from quarantined_share(
        counts.rejected,
        counts.landed,
        warn_above=wish.warn_quarantined_share,
        fail_above=wish.max_quarantined_share,
    )


def _of_events(
    stage: StageRun, counts: Mapping[date, FeedCounts], day: date
) -> Iterator[CheckResult]:
    wish, of_day = stage.settings.ingest, stage.for_day(day)
    # Earlier days of this run are about to be written, and no gap.
    gaps = [gap for gap in of_day.gap_days if gap not in counts]
    of_day.report.gaps = [gap.isoformat() for gap in gaps]
    yield no_gap(gaps, fail=wish.fail_on_gap)
    yield rows_on_open_day(counts[day].landed)
    past = list(_rows_of_weekday(stage, counts, day))
    yield volume_like_weekday(counts[day].accepted, past, ratio=wish.volume_ratio)


def _rows_of_weekday(
    stage: StageRun, counts: Mapping[date, FeedCounts], day: date
) -> Iterator[int]:
    for weeks in range(1, WEEKS_COMPARED + 1):
        earlier = day - timedelta(weeks=weeks)
        report = find_report(stage.layout, earlier, "ingest_landing")
        if earlier in counts:
            yield counts[earlier].accepted
        elif report and report["status"] == "committed":
            yield report["rows"]["out"]
