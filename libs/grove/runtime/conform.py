"""Conversion of a frame to the columns, order and types of its contract, before it is written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from grove.contracts import Contract, arrow_schema, load_contract, spark_schema
from grove.datasets import Dataset
from grove.errors import BugError

Frame: TypeAlias = DataFrame | pa.Table
"""Rows on their way to a table: spread over Spark, or held by this process."""


def conform_spark(frame: DataFrame, dataset: Dataset) -> DataFrame:
    """Select and cast a Spark frame to its contract.

    Raises:
        BugError: a column is missing or is not in the contract.
    """
    contract = load_contract(dataset)
    _require_columns(frame.columns, contract)
    return frame.select(
        *(frame[field.name].cast(field.dataType) for field in spark_schema(contract))
    )


def conform_arrow(table: pa.Table, dataset: Dataset) -> pa.Table:
    """Select and cast an Arrow table to its contract.

    Raises:
        BugError: a column is missing, is not in the contract, or holds values
            its type cannot, a missing one among them.
    """
    contract = load_contract(dataset)
    schema = arrow_schema(contract)
    _require_columns(table.column_names, contract)
    try:
        return table.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise BugError(
            "rows do not fit their contract",
            where=f"{contract.name}.v{contract.version}",
            expected=", ".join(f"{field.name} {field.type}" for field in schema),
            found=str(error),
            next_step="correct the stage that made the rows, or publish a new contract version",
        ) from error


def rows_of_days(frame: Frame, days: Sequence[date]) -> Frame:
    """The rows of some days, of a frame with a column `day`."""
    if isinstance(frame, pa.Table):
        return frame.filter(pc.field("day").isin(list(days)))
    return frame.where(frame["day"].isin(list(days)))


def sort_keys(dataset: Dataset) -> tuple[str, ...]:
    """Columns whose order makes two writes of the same rows equal.

    The partition columns come first, then the key the contract promises to be unique.
    Without one, all columns that can be ordered.
    """
    contract = load_contract(dataset)
    unique = [check.columns for check in contract.checks if check.kind == "unique"]
    key: Sequence[str] = unique[0] if unique else _plain_columns(contract)
    return (*dataset.partition_by, *(name for name in key if name not in dataset.partition_by))


def newest_of_each(table: pa.Table, key: str, *, by: str) -> pa.Table:
    """Of the rows with the same key, the one that is newest by another column.

    Args:
        table: rows with both columns; neither holds missing values.
        key: column that names the thing.
        by: column that orders its versions.

    Returns:
        One row per key, ordered by it.

    Example:
        >>> rows = pa.table({"item": ["b", "a", "a"], "day": [1, 1, 2], "price": [5, 6, 7]})
        >>> newest_of_each(rows, "item", by="day").to_pylist()
        [{'item': 'a', 'day': 2, 'price': 7}, {'item': 'b', 'day': 1, 'price': 5}]
    """
    ordered = table.sort_by([(key, "ascending"), (by, "descending")])
    if ordered.num_rows < 2:
        return ordered
    keys = ordered.column(key).combine_chunks()
    differs = pc.not_equal(keys[1:], keys[:-1])
    return ordered.filter(pa.concat_arrays([pa.array([True]), differs]))


def rows_without(table: pa.Table, known: pa.Table, key: Sequence[str]) -> pa.Table:
    """The rows of a table whose key another table does not hold, in their order.

    Args:
        table: rows to choose from.
        known: table that has the key columns.
        key: columns compared.

    Example:
        >>> rows = pa.table({"item": ["a", "b"], "vector": [[1.0], [2.0]]})
        >>> rows_without(rows, pa.table({"item": ["a"]}), ["item"]).to_pylist()
        [{'item': 'b', 'vector': [2.0]}]
    """
    # Arrow joins no lists: the join runs over row numbers, and the rows are taken after it.
    numbered = table.select(key).append_column("row", pa.array(range(table.num_rows), pa.int64()))
    unseen = numbered.join(known.select(key), list(key), join_type="left anti")
    return table.take(unseen.sort_by("row").column("row"))


def _plain_columns(contract: Contract) -> tuple[str, ...]:
    return tuple(
        column.name for column in contract.columns if not column.physical_type.startswith("array")
    )


def _require_columns(found: Sequence[str], contract: Contract) -> None:
    expected = contract.column_names
    missing = [name for name in expected if name not in found]
    unknown = [name for name in found if name not in expected]
    if missing or unknown:
        raise BugError(
            "a stage made other columns than its contract has",
            where=f"{contract.name}.v{contract.version}",
            expected=", ".join(expected),
            found=f"missing: {missing or 'none'}; unknown: {unknown or 'none'}",
            next_step="correct the stage, or publish a new contract version",
        )
