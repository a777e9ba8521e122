"""Predicates that select a partition: SQL for Spark and delta-rs, an expression for Arrow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pyarrow.compute as pc

from grove.datasets import Dataset
from grove.errors import BugError

Value = date | str | int
Partition = Mapping[str, Value | Sequence[Value]]
"""Value per column; a list or tuple of values means any of them, and an empty one no row."""


def sql_predicate(partition: Partition) -> str:
    """Condition that selects a partition, valid in Spark SQL and in DataFusion.

    Example:
        >>> sql_predicate({"day": date(2026, 8, 20), "stage": ["a", "b"]})
        "day = '2026-08-20' AND stage IN ('a', 'b')"
        >>> sql_predicate({"day": []})
        'FALSE'
    """
    return " AND ".join(_sql_condition(column, value) for column, value in partition.items())


def arrow_predicate(equals: Partition) -> pc.Expression | None:
    """Filter that selects rows by equality; none for an empty partition."""
    condition = None
    for column, value in equals.items():
        one = _arrow_condition(column, values_of(value))
        condition = one if condition is None else condition & one
    return condition


def values_of(value: Value | Sequence[Value]) -> tuple[Value, ...]:
    """The values of a partition for one column, as a tuple."""
    return (value,) if isinstance(value, date | str | int) else tuple(value)


def require_whole_partition(dataset: Dataset, partition: Partition) -> None:
    """Reject a write that would replace more of a table than its writer owns.

    Raises:
        BugError: the partition does not name every partition column once.
    """
    if set(partition) != set(dataset.partition_by):
        raise BugError(
            "a write names another partition than its table has",
            where=dataset.name,
            expected=f"a value for each of {', '.join(dataset.partition_by)}",
            found=", ".join(partition) or "none",
            next_step="correct the job: it must name every partition column and no other",
        )


def _arrow_condition(column: str, values: Sequence[Value]) -> pc.Expression:
    # A list of no value has Arrow's null type, which a column of another type rejects.
    return pc.field(column).isin(list(values)) if values else pc.scalar(False)


def _sql_condition(column: str, value: Value | Sequence[Value]) -> str:
    literals = [_literal(one) for one in values_of(value)]
    if isinstance(value, date | str | int):
        return f"{column} = {literals[0]}"
    if not literals:
        return "FALSE"
    return f"{column} IN ({', '.join(literals)})"


def _literal(value: Value) -> str:
    if isinstance(value, int):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"
