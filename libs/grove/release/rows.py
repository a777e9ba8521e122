"""The tables of a day → the rows of a release: one day only, sorted, without partition columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SHOWN_COLUMNS = ("title", "category_path", "price", "stock", "regions")
"""What a server shows of an item or filters by, besides what the models read."""
SEEN_FILE = "seen.parquet"
"""user_id, item_ids: every item a user ever had a positive with; histories hold the newest only."""
POPULARITY_FILE = "popularity.parquet"
"""item_id, count: positives of all users and days."""


def item_rows(items: pa.Table, item_table: pa.Table, item_keys: Sequence[int]) -> pa.Table:
    """Join what models read of an item with what people see of it and the key of the index.

    Args:
        items: N rows of `items` as of the day, sorted by item_id.
        item_table: N rows as the models read them, sorted by item_id.
        item_keys: N keys, 64 bits each, of the items in the index.

    Returns:
        N rows: item_id, item_key, the shown columns, and the other columns of the item table.

    Raises:
        ValueError: the two tables do not hold the same items in the same order.
    """
    if not items["item_id"].equals(item_table["item_id"]):
        raise ValueError("items and item_table must hold the same item_id in the same order")
    columns = {
        "item_id": items["item_id"],
        "item_key": pa.array(item_keys, pa.int64()),
        **{name: items[name] for name in SHOWN_COLUMNS},
    }
    rest = {name: item_table[name] for name in item_table.column_names if name not in columns}
    return pa.table({**columns, **rest})


def day_rows(rows: pa.Table, key: str, *, without: Sequence[str]) -> pa.Table:
    """Rows of one partition, sorted by key, without the columns that are the same in all."""
    return rows.drop_columns(list(without)).sort_by(key).combine_chunks()


def past_tables(positives: pa.Table) -> dict[str, pa.Table]:
    """What a server must know of all days: whom not to show what again, and what is popular.

    A day is judged by these two, so they must be served by too: histories are cut to the newest
    events, and would count and exclude less.

    Args:
        positives: user_id and item_id of every positive event through the release's day.

    Returns:
        Rows by file name, for `Parts.tables`; sorted by user and by item.

    Example:
        >>> positives = pa.table({"user_id": ["u", "u", "u"], "item_id": ["b", "a", "b"]})
        >>> past_tables(positives)["seen.parquet"].to_pylist()
        [{'user_id': 'u', 'item_ids': ['a', 'b']}]
        >>> past_tables(positives)["popularity.parquet"].to_pylist()
        [{'item_id': 'a', 'count': 1}, {'item_id': 'b', 'count': 2}]
    """
    return {SEEN_FILE: _seen_rows(positives), POPULARITY_FILE: _popularity_rows(positives)}


def _seen_rows(positives: pa.Table) -> pa.Table:
    pairs = positives.group_by(["user_id", "item_id"]).aggregate([])
    pairs = pairs.sort_by([("user_id", "ascending"), ("item_id", "ascending")])
    counts = pairs.group_by("user_id").aggregate([("item_id", "count")]).sort_by("user_id")
    ends = pc.cumulative_sum(counts["item_id_count"].combine_chunks()).cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    items = pa.ListArray.from_arrays(offsets, pairs["item_id"].combine_chunks())
    return pa.table({"user_id": counts["user_id"].combine_chunks(), "item_ids": items})


def _popularity_rows(positives: pa.Table) -> pa.Table:
    counts = positives.group_by("item_id").aggregate([("item_id", "count")]).sort_by("item_id")
    return counts.select(["item_id", "item_id_count"]).rename_columns(["item_id", "count"])


def metrics_by_stage(rows: pa.Table) -> dict[str, list[dict[str, Any]]]:
    """Measured figures per stage, in an order that does not depend on how they were stored.

    Example:
        >>> rows = pa.table({"stage": ["b", "a"], "metric": ["HR", "HR"], "value": [0.1, 0.2]})
        >>> metrics_by_stage(rows)["a"]
        [{'metric': 'HR', 'value': 0.2}]
    """
    figures: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows.to_pylist(), key=str):
        stage = row.pop("stage")
        row.pop("day", None)
        figures.setdefault(stage, []).append(row)
    return dict(sorted(figures.items()))


def headline(
    metrics: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, list[Mapping[str, Any]]]:
    """Only the figures over all users and items, for the manifest."""
    return {
        stage: [row for row in rows if row.get("segment") == "all"]
        for stage, rows in metrics.items()
    }
