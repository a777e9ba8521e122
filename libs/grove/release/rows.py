"""Rows of a release from the tables of a day: sorted, without partition columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SHOWN_COLUMNS = ("title", "category_path", "price", "stock", "regions", "product_id")
"""Columns that a server displays or filters by, besides the inputs of the models."""
SEEN_FILE = "seen.parquet"
"""user_id, item_ids: all items with a positive event of the user, not only the newest."""
POPULARITY_FILE = "popularity.parquet"
"""item_id, count: positives of all users and days."""


def item_rows(items: pa.Table, item_table: pa.Table, item_keys: Sequence[int]) -> pa.Table:
    """Join the model inputs of an item with its displayed columns and its key in the index.

    Args:
        items: N rows of `items` as of the day, sorted by item_id; a table that was made before
            `product_id` lacks it.
        item_table: N rows of model inputs, sorted by item_id.
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
        **{name: items[name] for name in SHOWN_COLUMNS if name in items.column_names},
    }
    rest = {name: item_table[name] for name in item_table.column_names if name not in columns}
    return pa.table({**columns, **rest})


def day_rows(rows: pa.Table, key: str, *, without: Sequence[str]) -> pa.Table:
    """Rows of one partition, sorted by key, without the constant columns."""
    return rows.drop_columns(list(without)).sort_by(key).combine_chunks()


def past_tables(positives: pa.Table) -> dict[str, pa.Table]:
    """Tables over all days for a server: the seen items of each user, and the popularity.

    The evaluation of a day uses both, so serving must use the same: histories are truncated to the
    newest events and would exclude and count less.

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
    """Metrics per stage, in an order that does not depend on the storage order.

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
