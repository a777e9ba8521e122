"""Duplicates: an event repeated within the lateness limit, or an entity repeated within a day.

An event is accepted once, whatever the order in which its days are ingested. A late event may land
on each of `within_days` days after it happened; the first of them that was ingested keeps it. A day
that is ingested after a later one therefore drops the events that the later day holds, and the rows
of the later day stay as they are, with the histories, models and counts made from them. Of days
that are ingested together, the earliest keeps the event.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column, DataFrame

from grove.contracts import Contract
from grove.interactions.parsing import ParsedFeed, Persist
from grove.landed import columns as names

BROADCAST_ROWS = 2_000_000
"""Up to this number of duplicates are broadcast; more are joined with a shuffle."""

_POSITION = "position"
_LANDINGS = "landings"
_ACCEPTED = "accepted"
_HASH = "key_hash"
_LATER_DAY = "later_day"


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """The rows of a feed that are dropped because the same event or entity has landed already."""

    row_ids: DataFrame
    """Persisted; one column, `landed_row`."""
    rows_by_day: Mapping[date, int]
    accepted_later: Mapping[date, Mapping[date, int]] = field(default_factory=dict)
    """Day → later day → dropped rows that the later day holds; without days that have none."""

    def drop_from(self, rows: DataFrame) -> DataFrame:
        """The rows that are not duplicates."""
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
    later: DataFrame | None = None,
) -> Duplicates:
    """Find the rows that repeat an accepted row.

    An event is a duplicate of an event of the same landing day or of the `within_days` days
    before; the first one stays. It is also one of an event that was accepted on the `within_days`
    days after it, before this day was ingested. In other feeds the last row of a day stays, because
    it is the newest state of the entity.

    Almost no row has a duplicate. Rows are therefore first counted by a 64-bit hash of their key,
    which shuffles eight bytes per row, and only keys whose hash occurs twice are compared.

    Args:
        parsed: a feed; rejected rows neither are duplicates nor have duplicates.
        table: contract of the feed's table; its `unique` check names the key.
        earlier: `day` and key of rows accepted before the first day of the feed; none for feeds
            without a lookback.
        within_days: lookback of an event in landing days.
        persist: marks a frame to be computed once and kept; its caller releases it.
        later: the same columns of rows accepted after the last day of the feed; none where no later
            day within the lookback was ingested.
    """
    key = _key_of(table)
    valid = parsed.rows.where(F.col(names.REASON).isNull())
    rows = valid.select(*names.POSITION, *key)
    for accepted in (earlier, later):
        if accepted is not None:
            rows = rows.unionByName(accepted.select(names.DAY, *key), allowMissingColumns=True)
    if parsed.feed != "events":
        repeated = _all_but_last(persist(_suspects(rows, [names.DAY, *key])), key)
    else:
        repeated = _repeats(persist(_suspects(rows, key)), key, within_days)
    kept = persist(repeated.select(names.DAY, names.ROW_ID, *key))
    counted = kept.groupBy(names.DAY).count().collect()
    return Duplicates(
        row_ids=kept.select(names.ROW_ID),
        rows_by_day={line[names.DAY]: line["count"] for line in counted},
        accepted_later=_count_later(kept, later, key, within_days) if later and counted else {},
    )


def _key_of(table: Contract) -> list[str]:
    unique = next(check for check in table.checks if check.kind == "unique")
    return [name for name in unique.columns if name != names.DAY]


def _suspects(rows: DataFrame, key: list[str]) -> DataFrame:
    hashed = rows.withColumn(_HASH, F.xxhash64(*key))
    often = hashed.groupBy(_HASH).count().where("count > 1").select(_HASH)
    return hashed.join(F.broadcast(often), _HASH, "left_semi").drop(_HASH)


def _position() -> Column:
    return F.struct(names.FILE, names.ROW_ID)


def _all_but_last(suspects: DataFrame, key: list[str]) -> DataFrame:
    by = [names.DAY, *key]
    last = suspects.groupBy(*by).agg(F.max(_position()).alias(_POSITION))
    return suspects.join(last, by).where(F.col(names.ROW_ID) != F.col(_POSITION)[names.ROW_ID])


def _repeats(suspects: DataFrame, key: list[str], within_days: int) -> DataFrame:
    """All rows but the first of each accepted day: its later rows, and those of rejected days."""
    # An earlier row has no position; null sorts first, so its day counts as accepted.
    first = suspects.groupBy(names.DAY, *key).agg(F.min(_position()).alias(_POSITION))
    landings = F.sort_array(F.collect_list(F.struct(names.DAY, _POSITION)))
    by_key = first.groupBy(*key).agg(landings.alias(_LANDINGS))
    kept = by_key.select(F.explode(_accepted(within_days)).alias(_ACCEPTED)).select(
        F.col(_ACCEPTED)[_POSITION][names.ROW_ID].alias(names.ROW_ID)
    )
    landed = suspects.where(F.col(names.ROW_ID).isNotNull())
    return landed.join(kept, names.ROW_ID, "left_anti")


def _accepted(within_days: int) -> Column:
    """The accepted landings of a key, out of one landing per day in order.

    Only accepted landings count in the lookback. A key that lands every other day for a month is
    thus accepted once every few days, as if the days had run one by one. A landing that is held
    was accepted by an earlier run, and stays accepted.
    """

    def step(accepted: Column, landing: Column) -> Column:
        previous = F.try_element_at(accepted, F.lit(-1))[names.DAY]
        is_new = previous.isNull() | (F.date_diff(landing[names.DAY], previous) > within_days)
        is_new &= ~F.exists(_LANDINGS, lambda other: _holds(other, landing, within_days))
        stays = _is_held(landing) | is_new
        return F.when(stays, F.array_append(accepted, landing)).otherwise(accepted)

    return F.aggregate(_LANDINGS, F.slice(_LANDINGS, 1, 0), step)


def _holds(other: Column, landing: Column, within_days: int) -> Column:
    """Whether another landing is of a later day, and was accepted by an earlier run."""
    days = F.date_diff(other[names.DAY], landing[names.DAY])
    return _is_held(other) & days.between(1, within_days)


def _is_held(landing: Column) -> Column:
    # Its position is not null: it is a struct of nulls.
    return landing[_POSITION][names.ROW_ID].isNull()


def _count_later(
    dropped: DataFrame, later: DataFrame, key: list[str], within_days: int
) -> dict[date, dict[date, int]]:
    """Dropped rows by their day and by the later day that holds the same key."""
    held = later.select(F.col(names.DAY).alias(_LATER_DAY), *key)
    days = F.date_diff(_LATER_DAY, names.DAY)
    pairs = dropped.join(held, key).where(days.between(1, within_days))
    counts: dict[date, dict[date, int]] = {}
    for line in pairs.groupBy(names.DAY, _LATER_DAY).count().collect():
        counts.setdefault(line[names.DAY], {})[line[_LATER_DAY]] = line["count"]
    return counts
