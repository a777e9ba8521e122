"""Rows that landed twice: the same event within its lateness, the same thing within a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column, DataFrame

from grove.contracts import Contract
from grove.interactions import columns as names
from grove.interactions.parsing import ParsedFeed, Persist

BROADCAST_ROWS = 2_000_000
"""More duplicates than this are joined by a shuffle; fewer are sent to every task."""

_PLACE = "place"
_LANDINGS = "landings"
_ACCEPTED = "accepted"
_HASH = "key_hash"


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """The rows of a feed that are dropped because the same thing landed already."""

    row_ids: DataFrame
    """Kept; one column, `landed_row`."""
    rows_by_day: Mapping[date, int]

    def drop_from(self, rows: DataFrame) -> DataFrame:
        """The rows that are no duplicates."""
        total = sum(self.rows_by_day.values())
        if not total:
            return rows
        dropped = F.broadcast(self.row_ids) if total <= BROADCAST_ROWS else self.row_ids
        return rows.join(dropped, names.ROW_ID, "left_anti")


def find_duplicates(
    parsed: ParsedFeed,
    table: Contract,
    *,
    earlier: DataFrame | None,
    within_days: int,
    persist: Persist,
) -> Duplicates:
    """Find the rows that repeat an accepted one.

    Events repeat an event of the same landing day, or of the `within_days` days before: the
    first stays. Of other feeds the last row of a day stays, the newest state of a thing.

    Almost no row has a duplicate. So rows are first counted by a 64-bit hash of their key,
    which moves eight bytes a row, and only keys whose hash occurs twice are kept and compared.

    Args:
        parsed: a feed; refused rows are neither duplicates nor have any.
        table: of the table the feed ends in; its `unique` check names the key.
        earlier: `day` and key of rows accepted before the first day of the feed; none
            where days do not look back.
        within_days: how many landing days an event looks back.
        persist: marks a frame to be computed once and kept; its caller releases it.
    """
    key = _key_of(table)
    fine = parsed.rows.where(F.col(names.REASON).isNull())
    rows = fine.select(*names.POSITION, *key)
    if earlier is not None:
        rows = rows.unionByName(earlier.select(names.DAY, *key), allowMissingColumns=True)
    if parsed.feed != "events":
        repeated = _all_but_last(persist(_suspects(rows, [names.DAY, *key])), key)
    else:
        repeated = _repeats(persist(_suspects(rows, key)), key, within_days)
    kept = persist(repeated.select(names.DAY, names.ROW_ID))
    counted = kept.groupBy(names.DAY).count().collect()
    return Duplicates(
        row_ids=kept.select(names.ROW_ID),
        rows_by_day={line[names.DAY]: line["count"] for line in counted},
    )


def _key_of(table: Contract) -> list[str]:
    unique = next(check for check in table.checks if check.kind == "unique")
    return [name for name in unique.columns if name != names.DAY]


def _suspects(rows: DataFrame, key: list[str]) -> DataFrame:
    hashed = rows.withColumn(_HASH, F.xxhash64(*key))
    often = hashed.groupBy(_HASH).count().where("count > 1").select(_HASH)
    return hashed.join(F.broadcast(often), _HASH, "left_semi").drop(_HASH)


def _place() -> Column:
    return F.struct(names.FILE, names.BLOCK, names.ROW_ID)


def _all_but_last(suspects: DataFrame, key: list[str]) -> DataFrame:
    by = [names.DAY, *key]
    last = suspects.groupBy(*by).agg(F.max(_place()).alias(_PLACE))
    return suspects.join(last, by).where(F.col(names.ROW_ID) != F.col(_PLACE)[names.ROW_ID])


def _repeats(suspects: DataFrame, key: list[str], within_days: int) -> DataFrame:
    """All but the first row of each accepted day, and all rows of days that look back on one."""
    # An earlier row has no place; it sorts first, so its day counts as accepted.
    first = suspects.groupBy(names.DAY, *key).agg(F.min(_place()).alias(_PLACE))
    landings = F.sort_array(F.collect_list(F.struct(names.DAY, _PLACE)))
    by_key = first.groupBy(*key).agg(landings.alias(_LANDINGS))
    kept = by_key.select(F.explode(_accepted(within_days)).alias(_ACCEPTED)).select(
        F.col(_ACCEPTED)[_PLACE][names.ROW_ID].alias(names.ROW_ID)
    )
    landed = suspects.where(F.col(names.ROW_ID).isNotNull())
    return landed.join(kept, names.ROW_ID, "left_anti")


def _accepted(within_days: int) -> Column:
    """Of the landings of a key, one per day and in order, those that were accepted.

    Each looks back on accepted ones only, so a key that lands every other day for a month is
    accepted once every few days, as it would be with the days run one by one.
    """

    def step(accepted: Column, landing: Column) -> Column:
        previous = F.try_element_at(accepted, F.lit(-1))[names.DAY]
        is_new = previous.isNull() | (F.date_diff(landing[names.DAY], previous) > within_days)
        return F.when(is_new, F.array_append(accepted, landing)).otherwise(accepted)

    return F.aggregate(_LANDINGS, F.slice(_LANDINGS, 1, 0), step)
