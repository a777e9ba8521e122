"""Turn landed feeds into clean tables, and keep what is refused, with the reason.

Reads   landing/<feed>/day=D of every feed the source declares, after its marker; the
        interactions of the days an event may repeat, and earlier items
Writes  interactions, items, users, context, queries, quarantine of D, all or none; with
        --from and --to a whole range in one pass, each day accepted or refused by itself
Fails   when a marker or a declared feed is missing, or no row carries a required column;
        refuses a day that breaks a check; a closed day ends with its reason

    spark-submit jobs/ingest_landing.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import PurePosixPath

from pyspark.sql import functions

from grove.catalog import FEED_DATASETS, INGESTED, INTERACTIONS, ITEMS, Dataset
from grove.contracts import CheckResult, Verdict, load_contract
from grove.errors import DataError
from grove.interactions import Earlier, FeedCounts, Ingested, LandedFiles, Limits, ingest_feeds
from grove.quality import judge
from grove.quality.invariants import (
    no_gap,
    quarantined_share,
    rows_conserved,
    rows_on_open_day,
    volume_like_weekday,
)
from grove.runtime.arguments import job_parser, parse
from grove.runtime.landing import Marker, feed_files, read_marker
from grove.runtime.reports import find_report
from grove.runtime.stage import Stage, open_stage, run_job
from grove.runtime.tables import read_spark

Markers = Mapping[date, Marker]
WEEKS_COMPARED = 4


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__, days="range"), argv)


def run(arguments: Namespace) -> None:
    """Ingest the open days of the arguments in one pass; close the others."""
    with open_stage("ingest_landing", arguments) as stage:
        markers = {day: read_marker(stage.layout, day) for day in arguments.days}
        opened = {day: marker for day, marker in markers.items() if not _close(stage, marker)}
        if not opened:
            return
        ingested = _ingest(stage, opened)
        _report(stage, ingested, opened)
        stage.commit_days(
            [
                (dataset, ingested.tables[dataset], _verdicts(stage, dataset, ingested, opened))
                for dataset in INGESTED
                if dataset in ingested.tables
            ]
        )


def _close(stage: Stage, marker: Marker) -> bool:
    """Whether the shop was closed; its day then ends here."""
    rows = sum(feed.rows for feed in marker.feeds.values())
    if marker.closed and rows:
        raise DataError(
            "a closed day has rows",
            where=stage.layout.landing_marker(marker.day),
            expected="no rows, or a calendar that says open",
            found=f"{rows} rows",
            next_step="correct the collector's calendar and land the day again",
        )
    if marker.closed:
        stage.for_day(marker.day).close(marker.reason or "closed by the source's calendar")
    return marker.closed


def _ingest(stage: Stage, opened: Markers) -> Ingested:
    spark = stage.spark()
    wish, first = stage.settings.ingest, min(opened)
    files = [_files(stage, feed, opened) for feed in stage.settings.source.feeds]
    before = functions.col("day") < first
    looked_back = functions.col("day") >= first - timedelta(days=wish.lateness_days)
    interactions, items = (
        read_spark(spark, stage.layout, dataset).where(before)
        for dataset in (INTERACTIONS, ITEMS)
    )
    return ingest_feeds(
        spark,
        files,
        days=list(opened),
        earlier=Earlier(interactions=interactions.where(looked_back), items=items),
        limits=Limits(max_price=wish.max_price, lateness_days=wish.lateness_days),
    )


def _files(stage: Stage, feed: str, opened: Markers) -> LandedFiles:
    paths: list[str] = []
    for day in opened:
        found = feed_files(stage.layout, feed, day)
        if not found:
            raise DataError(
                f"the feed {feed} has not landed",
                where=stage.layout.landing_feed(feed, day),
                expected=f"files of the feed {feed}, which the source declares",
                found="no file",
                next_step="land the day again, or take the feed out of source.feeds",
            )
        paths += found
    folder = PurePosixPath(stage.layout.landing_feed(feed, min(opened))).parent
    return LandedFiles(feed=feed, folder=str(folder), paths=paths)


def _report(stage: Stage, ingested: Ingested, opened: Markers) -> None:
    for day in opened:
        report = stage.for_day(day).report
        counts = {feed: by_day[day] for feed, by_day in ingested.counts.items()}
        events = counts["events"]
        report.rows(in_=events.landed, out=events.accepted, rejected=events.refused)
        report.note("feeds", {feed: each.as_json() for feed, each in counts.items()})
        report.note("extra_columns", dict(ingested.extra_columns))


def _verdicts(
    stage: Stage, dataset: Dataset, ingested: Ingested, opened: Markers
) -> dict[date, Verdict]:
    """One pass over all days; only when that refuses them is each day judged by itself."""
    rows, contract = ingested.tables[dataset], load_contract(dataset)
    name = " to ".join(sorted({str(min(opened)), str(max(opened))}))
    judged = judge(contract, rows, run_name=f"{name} ingest_landing", docs_folder=stage.docs_folder)
    verdicts = dict.fromkeys(opened, judged)
    if not judged.passed and len(opened) > 1:
        for day in opened:
            of_day = rows.where(functions.col("day") == day)
            verdicts[day] = judge(contract, of_day, run_name=f"{day} ingest_landing")
    return {
        day: replace(
            each, results=(*each.results, *_invariants(stage, dataset, ingested, opened[day]))
        )
        for day, each in verdicts.items()
    }


def _invariants(
    stage: Stage, dataset: Dataset, ingested: Ingested, marker: Marker
) -> Iterator[CheckResult]:
    for feed, by_day in ingested.counts.items():
        if FEED_DATASETS[feed] == dataset:
            yield from _of_feed(stage, by_day[marker.day], marker.feeds[feed].rows)
    if dataset == INTERACTIONS:
        yield from _of_events(stage, ingested.counts["events"], marker.day)


def _of_feed(stage: Stage, counts: FeedCounts, announced: int) -> Iterator[CheckResult]:
    wish = stage.settings.ingest
    yield rows_conserved(counts.landed, counts.accepted, counts.duplicates, counts.refused)
    yield CheckResult(
        name="landed_as_announced",
        severity="fail",
        passed=counts.landed == announced,
        expected=f"{announced} rows, as the marker says",
        observed=f"{counts.landed} rows",
    )
    yield from quarantined_share(
        counts.refused,
        counts.landed,
        warn_above=wish.warn_quarantined_share,
        fail_above=wish.max_quarantined_share,
    )


def _of_events(stage: Stage, counts: Mapping[date, FeedCounts], day: date) -> Iterator[CheckResult]:
    wish, of_day = stage.settings.ingest, stage.for_day(day)
    gaps = [gap for gap in of_day.gap_days if gap not in counts]
    of_day.report.gaps = [gap.isoformat() for gap in gaps]
    yield no_gap(gaps, fail=wish.fail_on_gap)
    yield rows_on_open_day(counts[day].landed)
    past = list(_rows_of_weekday(stage, counts, day))
    yield volume_like_weekday(counts[day].accepted, past, ratio=wish.volume_ratio)


def _rows_of_weekday(stage: Stage, counts: Mapping[date, FeedCounts], day: date) -> Iterator[int]:
    for weeks in range(1, WEEKS_COMPARED + 1):
        earlier = day - timedelta(weeks=weeks)
        report = find_report(stage.layout, earlier, "ingest_landing")
        if earlier in counts:
            yield counts[earlier].accepted
        elif report and report["status"] == "committed":
            yield report["rows"]["out"]


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
