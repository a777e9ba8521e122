"""One feed, read once: typed, checked row by row, cached, and summed up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import Contract
from grove.errors import DataError
from grove.interactions.landed import LandedFeedFiles, read_landed
from grove.interactions.shape import CATEGORICAL, MOST_UNKNOWN, MOST_VALUES, FeedShape
from grove.landed import UNREADABLE, FeedReader
from grove.landed import columns as names
from grove.landed.reasons import MISSING_KEY
from grove.landed.rows import MALFORMED, NOT_UTF8, TOO_LONG
from grove.landed.texts import WRONG_TYPE

Persist: TypeAlias = Callable[[DataFrame], DataFrame]
"""Marks a frame to be computed once and kept; its caller releases it."""


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """The rows of one file with the same reason, or without one."""

    day: date
    file: str
    reason: str | None
    rows: int
    fields: frozenset[str]
    """Field names found in the rows."""
    filled: dict[str, int]
    """Number of rows with a value, per column."""
    values: dict[str, frozenset[str]]
    """Values of the categorical columns."""
    damage: str | None
    """Why the rest of the file cannot be read."""


@dataclass(frozen=True, kw_only=True)
class ParsedFeed:
    """A feed's rows, each with its reason or none, and their counts."""

    feed: str
    contract: Contract
    """Of the feed."""
    rows: DataFrame
    """Persisted. Bookkeeping columns, the day, and the feed's columns in the table's types."""
    groups: tuple[RowGroup, ...]

    def shape(self, day: date) -> FeedShape:
        """Columns of the feed on a day, over all rows that landed."""
        groups = [group for group in self.groups if group.day == day]
        fields = frozenset[str]().union(*(group.fields for group in groups))
        known = self.contract.column_names
        values = {
            name: sorted(frozenset[str]().union(*(group.values[name] for group in groups)))
            for name in known
            if name in CATEGORICAL
        }
        return FeedShape(
            rows=sum(group.rows for group in groups),
            filled={name: sum(group.filled[name] for group in groups) for name in known},
            unknown=tuple(sorted(fields - set(known))[:MOST_UNKNOWN]),
            values={
                name: tuple(found) for name, found in values.items() if len(found) <= MOST_VALUES
            },
        )

    def rows_landed(self, day: date) -> int:
        """All rows of a day."""
        return sum(group.rows for group in self.groups if group.day == day)

    def rows_rejected(self) -> int:
        """Rows with a reason, over all days."""
        return sum(group.rows for group in self.groups if group.reason is not None)

    def rows_valid(self) -> int:
        """Rows without a reason, including duplicates, over all days."""
        return sum(group.rows for group in self.groups if group.reason is None)


def parse_feed(
    spark: SparkSession, files: LandedFeedFiles, reader: FeedReader, *, persist: Persist
) -> ParsedFeed:
    """Read a feed and give every invalid row its reason, in one pass over the files.

    The rows are persisted, because duplicates, gates and writers all read them. A second parse
    would cost as much as all of these together.

    Args:
        spark: open session.
        files: of the feed; at least one.
        reader: of the feed.
        persist: marks a frame to be computed once and kept; its caller releases it.

    Raises:
        DataError: a file cannot be read, or a required column is missing in all rows of a day.
    """
    rows = persist(read_landed(spark, files.files, reader))
    parsed = ParsedFeed(
        feed=files.feed, contract=reader.contract, rows=rows, groups=_sum_up(rows, reader.contract)
    )
    _require_read(parsed)
    _require_columns(parsed)
    return parsed


def _sum_up(rows: DataFrame, contract: Contract) -> tuple[RowGroup, ...]:
    """One line per file and reason: few lines for a feed of any size."""
    by = (names.DAY, names.FILE, names.REASON)
    categorical = [name for name in contract.column_names if name in CATEGORICAL]
    sums = rows.groupBy(*by).agg(
        F.count("*").alias("rows"),
        F.flatten(F.collect_set(names.FIELDS)).alias("fields"),
        F.min(F.when(F.col(names.REASON) == UNREADABLE, F.col(names.TEXT))).alias("damage"),
        *(F.count(name).alias(f"filled_{name}") for name in contract.column_names),
        *(F.collect_set(name).alias(f"values_{name}") for name in categorical),
    )
    return tuple(
        RowGroup(
            day=line[names.DAY],
            file=line[names.FILE],
            reason=line[names.REASON],
            rows=line["rows"],
            fields=frozenset(line["fields"]),
            filled={name: line[f"filled_{name}"] for name in contract.column_names},
            values={name: frozenset(line[f"values_{name}"]) for name in categorical},
            damage=line["damage"],
        )
        for line in sums.orderBy(*by).collect()
    )


def _require_read(parsed: ParsedFeed) -> None:
    damaged = [group for group in parsed.groups if group.reason == UNREADABLE]
    if damaged:
        raise DataError(
            "a landed file is damaged",
            where=", ".join(f"day={group.day}/{group.file}" for group in damaged),
            expected=f"files of the feed {parsed.feed} that can be read to their end",
            found=damaged[0].damage or "no more of the file",
            next_step="land the day again",
        )


def _require_columns(parsed: ParsedFeed) -> None:
    for day in sorted({group.day for group in parsed.groups}):
        read = [
            group
            for group in parsed.groups
            if group.day == day and group.reason not in (MALFORMED, NOT_UTF8, TOO_LONG)
        ]
        # A row with any other reason, or none, has a value in every required column.
        if not read or {group.reason for group in read} - {MISSING_KEY, WRONG_TYPE}:
            continue
        missing = [
            name
            for name in parsed.contract.must_have
            if not any(group.filled[name] for group in read)
        ]
        if missing:
            raise DataError(
                f"the feed {parsed.feed} lacks a required column",
                where=f"feed {parsed.feed}, landing day {day}",
                expected=f"a value of {', '.join(missing)} in every row, of the contract's type",
                found=_found_instead(parsed, day, sum(group.rows for group in read)),
                next_step="correct the collector and land the feed again",
            )


def _found_instead(parsed: ParsedFeed, day: date, rows: int) -> str:
    groups = (group.fields for group in parsed.groups if group.day == day)
    unknown = sorted(frozenset[str]().union(*groups) - set(parsed.contract.column_names))
    others = f"; unknown columns: {', '.join(unknown[:20])}" if unknown else ""
    return f"no such value in {rows} rows{others}"
