"""Rows → the columns that checks look at.

Great Expectations knows no arrays. What a check asks of an array (how many elements, which
norm) is therefore measured first, as a number in a column of its own, in Spark or in Arrow;
from there on both engines answer the same question. NaN is a value that fits no upper bound,
in Spark by its ordering, here by reading it as infinity.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias, Union

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.contracts import Check, Contract

if TYPE_CHECKING:
    import pandas as pd
    from pyspark.sql import Column, DataFrame

Frame: TypeAlias = Union["DataFrame", "pd.DataFrame", pa.Table]
"""Rows of any size: in Spark, or on this machine."""
_MEASURED = ("items", "norm", "same_length")


def measured_column(check: Check, contract: Contract, *, counted: bool = False) -> str:
    """Name of the column in which a check finds what it looks at.

    Args:
        check: the check.
        contract: what it is part of.
        counted: whether uniqueness is looked at as a number of repeated keys.

    Example:
        >>> from grove.datasets import HISTORIES
        >>> from grove.contracts import load_contract
        >>> contract = load_contract(HISTORIES)
        >>> [measured_column(check, contract) for check in contract.checks[3:5]]
        ['item_ids__items', 'event_types__items']
    """
    column = check.columns[0]
    if counted and check.kind == "unique":
        return f"{'_'.join(check.columns)}__repeated"
    if check.kind in _MEASURED:
        return f"{column}__{check.kind}"
    if check.kind == "not_null" and contract.column(column).logical_type == "array":
        return f"{column}__items"
    return column


def measure_spark(
    frame: DataFrame, checks: Iterable[Check], contract: Contract, *, counted: bool
) -> DataFrame:
    """Select what the checks look at from a Spark frame.

    Args:
        frame: the rows.
        checks: what is asked of them.
        contract: what the checks are part of.
        counted: count repeated keys here, by a hash, where Great Expectations would sort all
            rows by key. Two keys with one hash count as repeated, so a number other than zero
            is a reason to ask again with the keys themselves, and no verdict.
    """
    from pyspark.sql import functions

    wanted: dict[str, Column] = {}
    for check in checks:
        name = measured_column(check, contract, counted=counted)
        if name.endswith("__repeated"):
            wanted[name] = functions.lit(_repeated_keys(frame, check.columns))
            continue
        measure = name.removeprefix(check.columns[0]).removeprefix("__")
        if measure:
            wanted[name] = _spark_measure(measure, check.columns)
        else:
            wanted |= {column: functions.col(column) for column in check.columns}
    return frame.select(*(column.alias(name) for name, column in wanted.items()))


def _repeated_keys(frame: DataFrame, key: tuple[str, ...]) -> int:
    from pyspark.sql import functions

    hashes = frame.dropna(subset=list(key)).select(functions.xxhash64(*key).alias("key_hash"))
    return hashes.groupBy("key_hash").count().where("count > 1").count()


def _spark_measure(measure: str, columns: tuple[str, ...]) -> Column:
    from pyspark.sql import functions

    if measure == "items":
        return functions.array_size(columns[0])
    if measure == "same_length":
        return functions.array_size(columns[0]) - functions.array_size(columns[1])
    return _spark_norm(columns[0])


def _spark_norm(vector: str) -> Column:
    """L2 norm of an array; infinite where an element is missing or no number."""
    from pyspark.sql import functions

    def add_square(total: Column, value: Column) -> Column:
        number = functions.coalesce(value.cast("double"), functions.lit(float("nan")))
        return total + number * number

    squares = functions.aggregate(vector, functions.lit(0.0), add_square)
    return functions.nanvl(functions.sqrt(squares), functions.lit(float("inf")))


def measure_arrow(table: pa.Table, checks: Iterable[Check], contract: Contract) -> pd.DataFrame:
    """Select what the checks look at from an Arrow table, as pandas columns."""
    wanted: dict[str, pa.ChunkedArray] = {}
    for check in checks:
        name = measured_column(check, contract)
        measure = name.removeprefix(check.columns[0]).removeprefix("__")
        if measure:
            arrays = [table[column].combine_chunks() for column in check.columns]
            wanted[name] = _arrow_measure(measure, arrays)
        else:
            wanted |= {column: _nan_as_infinity(table[column]) for column in check.columns}
    return pa.table(wanted).to_pandas()


def _arrow_measure(measure: str, arrays: list[pa.Array]) -> pa.Array:
    if measure == "items":
        return pc.list_value_length(arrays[0])
    if measure == "same_length":
        return pc.subtract(pc.list_value_length(arrays[0]), pc.list_value_length(arrays[1]))
    return _norms(arrays[0])


def _norms(vectors: pa.Array) -> pa.Array:
    """L2 norm of each list; infinite where an element is missing or no number."""
    rows = pc.list_parent_indices(vectors).to_numpy(zero_copy_only=False)
    values = pc.list_flatten(vectors).to_numpy(zero_copy_only=False).astype(np.float64)
    squares = np.bincount(rows, weights=values**2, minlength=len(vectors))  # [N]
    norms = np.where(np.isnan(squares), np.inf, np.sqrt(squares))  # [N]
    return pa.array(norms, mask=vectors.is_null().to_numpy(zero_copy_only=False))


def _nan_as_infinity(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(float("inf"), column.type), column)
