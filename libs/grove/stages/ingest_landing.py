"""Ingestion of landed days: read in one pass, each day validated and committed separately."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pyspark.sql import DataFrame, SparkSession

from grove.contracts import CheckResult, Verdict
from grove.datasets import FEED_DATASETS, INGESTED, INTERACTIONS, ITEMS, Dataset, Layout
from grove.interactions import (
    Earlier,
    FeedCounts,
    Ingested,
    LandedFeedFiles,
    ingest_feeds,
)
from grove.landed import Limits
from grove.quality.invariants import (
    files_as_announced,
    no_gap,
    quarantined_share,
    rows_as_announced,
    rows_conserved,
    rows_on_open_day,
    volume_like_weekday,
)
from grove.runtime.conform import Frame
from grove.runtime.landing import Marker
from grove.runtime.reports import find_report
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_spark
from grove.settings.shop import IngestSettings
from grove.stages.compared_days import compare_days
from grove.stages.landed_again import keep_version, later_events, record_version, remove_closed
from grove.stages.landed_counts import Counts, count_feeds
from grove.stages.landed_days import declared_files, read_days
from grove.stages.landed_drift import FeedDrift, Shapes, drift_checks, drifts_of_day, shapes_of
from grove.stages.landed_verdicts import contract_verdicts, undeclared_verdict

Markers = Mapping[date, Marker]
Persist = Callable[[DataFrame], DataFrame]

ROWS_AT_HAND = 200_000
"""A table of up to this many new rows is validated and written by this process.

Spark needs seconds to start the dozen small tasks of a gate and a Delta commit; for few rows
Arrow does the same in tenths. More rows than this stay in Spark, whatever the machine.
"""
WEEKS_COMPARED = 4


@dataclass(frozen=True, kw_only=True)
class DayFacts:
    """Facts of one day that its checks compare with its rows."""

    marker: Marker
    gaps: Sequence[date]
    """Missing days before it."""
    weekday_rows: Sequence[int]
    """Accepted events of the same weekday, in the weeks before."""
    files: Mapping[str, int]
    """Landed files by feed."""
    drifts: Mapping[str, FeedDrift]
    """Comparison of each feed with the days before."""
    compared: Sequence[CheckResult]
    """Results of comparing its events with the other days and with the catalogue."""


def ingest_landing(run: StageRun, days: Sequence[date]) -> None:
    """Close the closed days, and ingest the open ones in one pass.

    Args:
        run: of the first day; other days report for themselves.
        days: to ingest.

    Raises:
        DataError: a day has not landed, a declared feed is missing, or lacks a required column.
    """
    keep_version(run)
    markers = read_days(run.layout, days)
    for marker in markers:
        keep_version(run.for_day(marker.day))
        if marker.closed:
            run.for_day(marker.day).close(marker.reason or "closed by the source's calendar")
    remove_closed(run, [marker.day for marker in markers if marker.closed])
    opened = {marker.day: marker for marker in markers if not marker.closed}
    if opened:
        _ingest_open_days(run, opened)


def _ingest_open_days(run: StageRun, opened: Markers) -> None:
    # Before the session is opened: a feed that is missing is reported at once.
    files = declared_files(run.layout, run.settings.source.feeds, opened)
    ingested = _ingest(
        run.spark(),
        run.layout,
        files,
        run.settings.ingest,
        days=sorted(opened),
        persist=run.persist,
    )
    frames = {dataset: _hold(ingested, dataset, run.persist) for dataset in ingested.tables}
    counts = count_feeds(ingested, frames, opened)
    shapes = shapes_of(ingested.parsed, opened)
    _report(run, counts, shapes)
    _record_undeclared(run, frames, opened)
    held = ingested.duplicates["events"].accepted_later
    compared = compare_days(run, frames, sorted(opened), held=held)
    facts = {
        day: _day_facts(
            run.for_day(day),
            marker,
            counts,
            files=files,
            compared=compared.checks[day],
            drifts=drifts_of_day(run.layout, day, ingested.parsed, shapes),
        )
        for day, marker in opened.items()
    }
    docs_folder, limits = run.layout.data_docs(run.day), run.settings.ingest
    outputs = []
    for dataset in [each for each in INGESTED if each in frames]:
        verdicts = contract_verdicts(dataset, frames[dataset], sorted(opened), docs_folder)
        checked = {
            day: _with_checks(verdicts[day], dataset_checks(dataset, counts, facts[day], limits))
            for day in opened
        }
        outputs.append((dataset, frames[dataset], checked))
    written = run.commit_days(outputs)
    record_version(run, compared.changed.intersection(written))


def dataset_checks(
    dataset: Dataset, counts: Counts, facts: DayFacts, limits: IngestSettings
) -> Iterator[CheckResult]:
    """Check the rows of a table on one day.

    Args:
        dataset: the table.
        counts: rows of all feeds and days.
        facts: of the day.
        limits: shares and ratios that are allowed.
    """
    marker = facts.marker
    for feed, by_day in counts.items():
        if FEED_DATASETS[feed] == dataset:
            announced = marker.feeds[feed]
            yield from _feed_checks(by_day[marker.day], announced.rows, limits)
            yield files_as_announced(facts.files[feed], announced.files)
            yield from drift_checks(facts.drifts[feed], limits)
    if dataset == INTERACTIONS:
        events = counts["events"][marker.day]
        yield no_gap(facts.gaps, fail=limits.fail_on_gap)
        yield rows_on_open_day(events.landed)
        yield volume_like_weekday(
            events.accepted, list(facts.weekday_rows), ratio=limits.volume_ratio
        )
        yield from facts.compared


def _ingest(
    spark: SparkSession,
    layout: Layout,
    files: Sequence[LandedFeedFiles],
    limits: IngestSettings,
    *,
    days: Sequence[date],
    persist: Persist,
) -> Ingested:
    interactions, items = read_spark(spark, layout, INTERACTIONS), read_spark(spark, layout, ITEMS)
    first, last = days[0], days[-1]
    looked_back = [first - timedelta(days=back + 1) for back in range(limits.lateness_days)]
    return ingest_feeds(
        spark,
        files,
        earlier=Earlier(
            interactions=interactions.where(interactions["day"].isin(looked_back)),
            items=items.where(items["day"] < first),
            later=later_events(spark, layout, last, limits.lateness_days),
        ),
        limits=Limits(max_price=limits.max_price, lateness_days=limits.lateness_days),
        persist=persist,
    )


def _hold(ingested: Ingested, dataset: Dataset, persist: Persist) -> Frame:
    """The rows of a table, held so that they are computed once, however often they are read."""
    frame = ingested.tables[dataset]
    if ingested.most_rows(dataset) <= ROWS_AT_HAND:
        return frame.toArrow()
    if dataset == INTERACTIONS:
        # Only selected from rows that are persisted already.
        return frame
    kept = persist(frame)
    # The bound of a table that is counted from events is far above its rows.
    return kept.toArrow() if kept.count() <= ROWS_AT_HAND else kept


def _report(run: StageRun, counts: Counts, shapes: Mapping[str, Shapes]) -> None:
    """Report the counts of every day; it holds the run because every day has a report."""
    for day, events in counts["events"].items():
        report = run.for_day(day).report
        report.rows(in_=events.landed, out=events.accepted, rejected=events.rejected)
        report.note("feeds", {feed: by_day[day].as_json() for feed, by_day in counts.items()})
        report.note("shapes", {feed: by_day[day].as_notes() for feed, by_day in shapes.items()})
        unknown = {feed: list(by_day[day].unknown) for feed, by_day in shapes.items()}
        report.note("extra_columns", {feed: names for feed, names in unknown.items() if names})


def _day_facts(
    run: StageRun,
    marker: Marker,
    counts: Counts,
    *,
    files: Sequence[LandedFeedFiles],
    compared: Sequence[CheckResult],
    drifts: Mapping[str, FeedDrift],
) -> DayFacts:
    """Facts of the day of a run, whose gaps it also reports."""
    # Earlier days of this run are about to be written, so they are no gaps.
    gaps = [gap for gap in run.gap_days if gap not in counts["events"]]
    run.report.gaps = [gap.isoformat() for gap in gaps]
    return DayFacts(
        marker=marker,
        gaps=gaps,
        weekday_rows=tuple(_rows_of_weekday(run.layout, run.day, counts["events"])),
        files={each.feed: sum(file.day == marker.day for file in each.files) for each in files},
        compared=compared,
        drifts=drifts,
    )


def _record_undeclared(
    run: StageRun, declared: Collection[Dataset], opened: Collection[date]
) -> None:
    """Record a verdict of every table without a feed; it holds the run of each day for that."""
    for dataset in INGESTED:
        if dataset not in declared:
            for day in opened:
                run.for_day(day).record(undeclared_verdict(dataset))


def _with_checks(verdict: Verdict, checks: Iterator[CheckResult]) -> Verdict:
    return replace(verdict, results=(*verdict.results, *checks))


def _feed_checks(
    counts: FeedCounts, announced: int, limits: IngestSettings
) -> Iterator[CheckResult]:
    yield rows_conserved(counts.landed, counts.accepted, counts.duplicates, counts.rejected)
    yield rows_as_announced(counts.landed, announced)
    yield from quarantined_share(
        counts.rejected,
        counts.landed,
        warn_above=limits.warn_quarantined_share,
        fail_above=limits.max_quarantined_share,
    )


def _rows_of_weekday(layout: Layout, day: date, counts: Mapping[date, FeedCounts]) -> Iterator[int]:
    """Accepted events of the same weekday in earlier weeks, of this run or reported before."""
    for weeks in range(1, WEEKS_COMPARED + 1):
        earlier = day - timedelta(weeks=weeks)
        report = find_report(layout, earlier, "ingest_landing")
        if earlier in counts:
            yield counts[earlier].accepted
        elif report and report.status == "committed":
            yield report.rows_out
