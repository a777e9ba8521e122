"""All feeds of one or more days → all tables of these days, and what became of every row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from grove.catalog import (
    FEED_DATASETS,
    INTERACTIONS,
    ITEMS,
    QUARANTINE,
    QUERIES,
    Dataset,
)
from grove.contracts import feed_dataset, load_contract
from grove.interactions.counts import FeedCounts, reasons_by_day, rows_by_day
from grove.interactions.derived_items import derive_items
from grove.interactions.duplicates import Duplicates, find_duplicates
from grove.interactions.landed import LandedFiles
from grove.interactions.queries import count_queries
from grove.interactions.reasons import Limits
from grove.interactions.split import accepted_rows, as_table, quarantined_rows
from grove.interactions.staging import StagedFeed, stage_feed


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """What landed before the first of the days."""

    interactions: DataFrame
    """At least `day` and `event_id` of the days an event looks back on."""
    items: DataFrame
    """All versions of all items."""


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """The rows of every table, not yet written, and their counts."""

    tables: Mapping[Dataset, DataFrame]
    """A table whose feed the source does not declare is absent."""
    counts: Mapping[str, Mapping[date, FeedCounts]]
    """Feed → day → rows."""
    extra_columns: Mapping[str, Sequence[str]]
    """Feed → fields its contract does not know."""


def ingest_feeds(
    spark: SparkSession,
    files: Iterable[LandedFiles],
    *,
    days: Sequence[date],
    earlier: Earlier,
    limits: Limits,
) -> Ingested:
    """Read, judge, and split the feeds of some days, in one pass over the files.

    Days of a range come out as they would one by one: an event looks back on the days before
    it, in the range or in the table, and so does an item derived from events.

    Args:
        spark: open session.
        files: of each feed the source declares, `events` among them, over all the days.
        days: landing days, all of them open.
        earlier: what the tables hold from before.
        limits: how far prices and times may stray.

    Raises:
        DataError: a feed lacks a required column on a day.
    """
    staged = {each.feed: _stage(spark, each, limits) for each in files}
    duplicates = {
        feed: _duplicates(each, earlier, limits.lateness_days) for feed, each in staged.items()
    }
    accepted = {feed: accepted_rows(each, duplicates[feed]) for feed, each in staged.items()}
    tables = _tables(accepted, earlier)
    quarantine = reduce(DataFrame.unionByName, map(quarantined_rows, staged.values()))
    tables[QUARANTINE] = quarantine.persist(StorageLevel.MEMORY_AND_DISK)
    return Ingested(
        tables=tables,
        counts=_count(staged, duplicates, tables, days),
        extra_columns={
            feed: each.extra_columns for feed, each in staged.items() if each.extra_columns
        },
    )


def _stage(spark: SparkSession, files: LandedFiles, limits: Limits) -> StagedFeed:
    contract = load_contract(feed_dataset(files.feed))
    table = load_contract(FEED_DATASETS[files.feed])
    return stage_feed(spark, files, contract=contract, table=table, limits=limits)


def _duplicates(staged: StagedFeed, earlier: Earlier, lateness_days: int) -> Duplicates:
    looks_back = earlier.interactions if staged.feed == "events" else None
    table = load_contract(FEED_DATASETS[staged.feed])
    return find_duplicates(staged, table, earlier=looks_back, within_days=lateness_days)


def _tables(accepted: Mapping[str, DataFrame], earlier: Earlier) -> dict[Dataset, DataFrame]:
    """Everything but quarantine; what is not a mere selection is cached, for it is read often."""
    tables = {
        FEED_DATASETS[feed]: as_table(rows, load_contract(FEED_DATASETS[feed]))
        for feed, rows in accepted.items()
    }
    if ITEMS not in tables:
        derived = derive_items(accepted["events"], earlier.items)
        tables[ITEMS] = derived.persist(StorageLevel.MEMORY_AND_DISK)
    queries = count_queries(tables[INTERACTIONS])
    tables[QUERIES] = queries.persist(StorageLevel.MEMORY_AND_DISK)
    return tables


def _count(
    staged: Mapping[str, StagedFeed],
    duplicates: Mapping[str, Duplicates],
    tables: Mapping[Dataset, DataFrame],
    days: Sequence[date],
) -> dict[str, dict[date, FeedCounts]]:
    reasons = reasons_by_day(tables[QUARANTINE])
    counts = {}
    for feed, each in staged.items():
        accepted = rows_by_day(tables[FEED_DATASETS[feed]])
        counts[feed] = {
            day: FeedCounts(
                landed=each.rows_landed(day),
                accepted=accepted.get(day, 0),
                duplicates=duplicates[feed].rows_by_day.get(day, 0),
                quarantined=reasons.get((feed, day), {}),
            )
            for day in days
        }
    return counts
