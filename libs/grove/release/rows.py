"""The tables of a day → the rows of a release: one day only, sorted, without partition columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

SHOWN_COLUMNS = ("title", "category_path", "price", "stock", "regions")
"""What a server shows of an item or filters by, besides what the models read."""


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
