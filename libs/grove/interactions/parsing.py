"""One feed, read once: typed, checked row by row, cached, and summed up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import Contract
from grove.errors import DataError
from grove.interactions import columns as names
from grove.interactions.landed import MALFORMED, NOT_UTF8, WRONG_TYPE, LandedFiles, read_landed
from grove.interactions.reasons import (
    BREAKS_CONTRACT,
    MISSING_KEY,
    Limits,
    breaks_contract,
    rejection_reason,
)
from grove.interactions.values import typed_value

Persist: TypeAlias = Callable[[DataFrame], DataFrame]
"""Marks a frame to be computed once and kept; its caller releases it."""


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """The rows of one block of one file with the same reason, or without one."""

    day: date
    file: str
    block: int
    reason: str | None
    rows: int
    first_row: int
    """Smallest row number; the row numbers of a block are consecutive."""
    header_lines: int
    fields: frozenset[str]
    """Field names found in a sample of the rows."""
    filled: dict[str, int]
    """Number of rows with a value, per required column."""


@dataclass(frozen=True, kw_only=True)
class ParsedFeed:
    """A feed's rows, each with its reason or none, and their counts."""

    feed: str
    contract: Contract
    """Of the feed."""
    rows: DataFrame
    """Persisted. Bookkeeping columns, the day, and the feed's columns in the table's types."""
    groups: tuple[RowGroup, ...]

    @property
    def extra_columns(self) -> list[str]:
        """Fields that are not in the contract, sorted; found in a sample of the rows."""
        found = frozenset[str]().union(*(group.fields for group in self.groups))
        return sorted(found - set(self.contract.column_names))

    def rows_landed(self, day: date) -> int:
        """All rows of a day."""
        return sum(group.rows for group in self.groups if group.day == day)

    def rows_rejected(self) -> int:
        """Rows with a reason, over all days."""
        return sum(group.rows for group in self.groups if group.reason is not None)

    def rows_valid(self) -> int:
        """Rows without a reason, including duplicates, over all days."""
        return sum(group.rows for group in self.groups if group.reason is None)

    def line_offsets(self) -> list[tuple[date, str, int, int]]:
        """For each block: day, file, block, and row number minus line number."""
        blocks = _blocks(self.groups)
        offsets: list[tuple[date, str, int, int]] = []
        lines_before = 0
        for position, (day, file, block) in enumerate(blocks):
            first_row, rows, header_lines = blocks[day, file, block]
            starts_file = position == 0 or offsets[-1][:2] != (day, file)
            lines_before = header_lines if starts_file else lines_before
            offsets.append((day, file, block, first_row - lines_before - 1))
            lines_before += rows
        return offsets


def parse_feed(
    spark: SparkSession,
    files: LandedFiles,
    *,
    contract: Contract,
    table: Contract,
    limits: Limits,
    persist: Persist,
) -> ParsedFeed:
    """Read a feed and give every invalid row its reason, in one pass over the files.

    The rows are persisted, because duplicates, gates and writers all read them. A second parse
    would cost as much as all of these together.

    Args:
        spark: open session.
        files: of the feed; at least one.
        contract: contract of the feed.
        table: contract of the feed's table.
        limits: allowed range of prices and times.
        persist: marks a frame to be computed once and kept; its caller releases it.

    Raises:
        DataError: a required column is missing in all rows of a day.
    """
    read = read_landed(spark, files, contract)
    kept = [column for column in names.BOOKKEEPING if column not in (names.DEFECT, names.REASON)]
    typed = read.select(
        names.DAY,
        *kept,
        rejection_reason(contract, table, limits).alias(names.REASON),
        *(typed_value(column).alias(column.name) for column in contract.columns),
    )
    reason = F.coalesce(names.REASON, F.when(breaks_contract(table), BREAKS_CONTRACT))
    text = F.when(reason.isNotNull(), F.col(names.TEXT))
    checked = typed.withColumns({names.REASON: reason, names.TEXT: text})
    rows = persist(checked)
    parsed = ParsedFeed(
        feed=files.feed, contract=contract, rows=rows, groups=_sum_up(rows, contract)
    )
    _require_columns(parsed)
    return parsed


def _sum_up(rows: DataFrame, contract: Contract) -> tuple[RowGroup, ...]:
    """One line per block and reason: few lines for a feed of any size."""
    by = (names.DAY, names.FILE, names.BLOCK, names.REASON)
    sums = rows.groupBy(*by).agg(
        F.count("*").alias("rows"),
        F.min(names.ROW_ID).alias("first_row"),
        F.first(names.HEADER_LINES).alias("header_lines"),
        F.flatten(F.collect_set(names.KEYS)).alias("fields"),
        *(F.count(name).alias(f"filled_{name}") for name in contract.must_have),
    )
    return tuple(
        RowGroup(
            day=line[names.DAY],
            file=line[names.FILE],
            block=line[names.BLOCK],
            reason=line[names.REASON],
            rows=line["rows"],
            first_row=line["first_row"],
            header_lines=line["header_lines"],
            fields=frozenset(line["fields"]),
            filled={name: line[f"filled_{name}"] for name in contract.must_have},
        )
        for line in sums.orderBy(*by).collect()
    )


def _blocks(groups: Sequence[RowGroup]) -> dict[tuple[date, str, int], tuple[int, int, int]]:
    """(day, file, block) → (first row, rows, header lines), in the order of landing."""
    blocks: dict[tuple[date, str, int], tuple[int, int, int]] = {}
    for group in groups:
        key = (group.day, group.file, group.block)
        first_row, rows, _ = blocks.get(key, (group.first_row, 0, 0))
        smallest = min(first_row, group.first_row)
        blocks[key] = (smallest, rows + group.rows, group.header_lines)
    return dict(sorted(blocks.items()))


def _require_columns(parsed: ParsedFeed) -> None:
    for day in sorted({group.day for group in parsed.groups}):
        read = [
            group
            for group in parsed.groups
            if group.day == day and group.reason not in (MALFORMED, NOT_UTF8)
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
                found=f"no such value in {sum(group.rows for group in read)} rows",
                next_step="correct the collector and land the feed again",
            )
