"""Ingest of all feeds of one or more days into the tables of these days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from grove.contracts import feed_dataset, load_contract
from grove.datasets import (
    FEED_DATASETS,
    INTERACTIONS,
    ITEMS,
    QUARANTINE,
    QUERIES,
    Dataset,
)
from grove.interactions.derived_items import derive_items
from grove.interactions.duplicates import Duplicates, find_duplicates
from grove.interactions.landed import LandedFeedFiles
from grove.interactions.parsing import ParsedFeed, Persist, parse_feed
from grove.interactions.queries import count_queries
from grove.interactions.split import accepted_rows, as_table, quarantined_rows
from grove.landed import FeedReader, Limits


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """Tables of the days before the first ingested day, and the events of those after the last."""

    interactions: DataFrame
    """At least `day` and `event_id` of the days in an event's lookback."""
    items: DataFrame
    """All versions of all items."""
    later: DataFrame | None = None
    """As `interactions`, of the days after the last ingested one in whose lookback it is; none
    where no such day was ingested."""


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """The rows of every table, not yet written, with their feeds and duplicates."""

    tables: Mapping[Dataset, DataFrame]
    """A table whose feed the source does not declare is absent."""
    parsed: Mapping[str, ParsedFeed]
    duplicates: Mapping[str, Duplicates]

    def most_rows(self, dataset: Dataset) -> int:
        """Upper bound of a table's rows, without another count."""
        if dataset == QUARANTINE:
            return sum(each.rows_rejected() for each in self.parsed.values())
        feeds = [feed for feed in self.parsed if FEED_DATASETS[feed] == dataset]
        return sum(self.parsed[feed].rows_valid() for feed in feeds or ["events"])


def ingest_feeds(
    spark: SparkSession,
    files: Iterable[LandedFeedFiles],
    *,
    earlier: Earlier,
    limits: Limits,
    persist: Persist,
) -> Ingested:
    """Read, validate and split the feeds of some days, in one pass over the files.

    The result of a range equals that of its days one by one: the lookback of an event covers the
    days before it in the range and in the table, and so does that of an item derived from events.
    An event that a day after the range holds already stays there.

    Args:
        spark: open session.
        files: of each feed the source declares, `events` among them, over all the days.
        earlier: tables of the days before.
        limits: allowed range of prices and times.
        persist: marks a frame to be computed once and kept; its caller releases it.

    Raises:
        DataError: a feed lacks a required column on a day.
    """
    parsed = {each.feed: _parse(spark, each, limits, persist) for each in files}
    duplicates = {
        feed: find_duplicates(
            each,
            load_contract(FEED_DATASETS[feed]),
            earlier=earlier.interactions if feed == "events" else None,
            within_days=limits.lateness_days,
            persist=persist,
            later=earlier.later if feed == "events" else None,
        )
        for feed, each in parsed.items()
    }
    accepted = {feed: accepted_rows(each, duplicates[feed]) for feed, each in parsed.items()}
    quarantine = reduce(DataFrame.unionByName, map(quarantined_rows, parsed.values()))
    tables = {**_tables(accepted, earlier), QUARANTINE: quarantine}
    return Ingested(tables=tables, parsed=parsed, duplicates=duplicates)


def _parse(
    spark: SparkSession, files: LandedFeedFiles, limits: Limits, persist: Persist
) -> ParsedFeed:
    contract = load_contract(feed_dataset(files.feed))
    table = load_contract(FEED_DATASETS[files.feed])
    reader = FeedReader(contract=contract, table=table, limits=limits)
    return parse_feed(spark, files, reader, persist=persist)


def _tables(accepted: Mapping[str, DataFrame], earlier: Earlier) -> dict[Dataset, DataFrame]:
    tables = {
        FEED_DATASETS[feed]: as_table(rows, load_contract(FEED_DATASETS[feed]))
        for feed, rows in accepted.items()
    }
    if ITEMS not in tables:
        tables[ITEMS] = derive_items(accepted["events"], earlier.items)
    tables[QUERIES] = count_queries(tables[INTERACTIONS])
    return tables
