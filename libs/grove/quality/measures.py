"""Columns that checks need, computed from rows in Spark or in Arrow.

Great Expectations does not support arrays. The property of an array that a check tests (number
of elements, norm) is therefore computed first, as a numeric column. After that, both engines
run the same expectation. NaN exceeds every upper bound: in Spark by its sort order, in Arrow
because it is replaced by infinity.
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
"""Rows in Spark, or in the memory of this process."""
_MEASURED = ("items", "norm", "same_length")


def measured_column(check: Check, contract: Contract, *, counted: bool = False) -> str:
    """Name of the column that a check tests.

    Args:
        check: the check.
        contract: contract of the check.
        counted: whether uniqueness is tested as a number of repeated keys.

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
    """Select the columns that the checks test from a Spark frame.

    Args:
        frame: the rows.
        checks: checks of the contract.
        contract: contract of the dataset.
        counted: count repeated keys by a hash, whereas Great Expectations would sort all rows by
            key. Two keys with the same hash count as repeated, so a count above zero requires a
            second run with the keys themselves; it is not a verdict.
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

    # 8 bytes per row are shuffled, not the key. Null keys are left to `not_null`.
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
    """L2 norm of an array; infinite if an element is null or NaN."""
    from pyspark.sql import functions

    def add_square(total: Column, value: Column) -> Column:
        # float32 squares would overflow and round; a null would make the whole sum null, which
        # a check ignores, so it becomes NaN.
        number = functions.coalesce(value.cast("double"), functions.lit(float("nan")))
        return total + number * number

    squares = functions.aggregate(vector, functions.lit(0.0), add_square)
    return functions.nanvl(functions.sqrt(squares), functions.lit(float("inf")))


def measure_arrow(table: pa.Table, checks: Iterable[Check], contract: Contract) -> pd.DataFrame:
    """Select the columns that the checks test from an Arrow table, as pandas columns."""
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
    """‖x‖₂ = √Σx² of each list; infinite if an element is null or NaN."""
    # One pass over the flat elements, each with the row it belongs to: lists may differ in
    # length, so a reshape to [N, D] would need a check of its own.
    rows = pc.list_parent_indices(vectors).to_numpy(zero_copy_only=False)  # [elements]
    # A null element becomes NaN here, and float64 keeps the squares of float32 exact.
    values = pc.list_flatten(vectors).to_numpy(zero_copy_only=False).astype(np.float64)
    squares = np.bincount(rows, weights=values**2, minlength=len(vectors))  # [N]
    norms = np.where(np.isnan(squares), np.inf, np.sqrt(squares))  # [N]
    # A null list has no elements, hence norm 0; it must stay null, which is for `not_null`.
    return pa.array(norms, mask=vectors.is_null().to_numpy(zero_copy_only=False))


def _nan_as_infinity(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(float("inf"), column.type), column)
