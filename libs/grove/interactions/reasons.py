"""Reasons for rejecting a landed row: one per row, the first that applies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column

from grove.contracts import Contract, delta_constraints
from grove.contracts.contract import Column as ContractColumn
from grove.interactions import columns as names
from grove.interactions.landed import MALFORMED, NOT_UTF8, WRONG_TYPE
from grove.interactions.values import is_whole, typed_value

MISSING_KEY = "missing_key"
BREAKS_CONTRACT = "breaks_contract"
REASONS = (
    NOT_UTF8,
    MALFORMED,
    WRONG_TYPE,
    MISSING_KEY,
    "unknown_event_type",
    "unparseable_time",
    "negative_price",
    "negative_quantity",
    "absurd_price",
    "in_the_future",
    "too_late",
    BREAKS_CONTRACT,
)
"""All reasons, in the order of their tests.

A value of a wrong type reads as missing, so types come before keys. The last reason is a value
that fits its type but violates the table's contract, such as position 0.
"""

_PRICES = ("price",)
_QUANTITIES = ("quantity", "stock")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on prices and times of a row."""

    max_price: float
    """A price above this is absurd; in the currency of the source."""
    lateness_days: int
    """Largest age of an event at its landing, in days."""


def rejection_reason(contract: Contract, table: Contract, limits: Limits) -> Column:
    """The reason for rejecting a row of `landed.read_landed`; null for a valid row.

    Args:
        contract: contract of the feed.
        table: contract of the feed's table; its checks list the event types.
        limits: allowed range of prices and times.
    """
    conditions = {
        NOT_UTF8: F.col(names.DEFECT) == NOT_UTF8,
        MALFORMED: F.col(names.DEFECT) == MALFORMED,
        WRONG_TYPE: _any([F.col(names.DEFECT) == WRONG_TYPE, *_misfits(contract)]),
        MISSING_KEY: _any([_is_missing(column) for column in contract.columns]),
        "unknown_event_type": _is_unknown(contract, table),
        "unparseable_time": _any([_is_not_a_time(column) for column in _times(contract)]),
        "negative_price": _any([F.col(name) < 0 for name in _present(contract, _PRICES)]),
        "negative_quantity": _any([F.col(name) < 0 for name in _present(contract, _QUANTITIES)]),
        "absurd_price": _any(
            [F.col(name) > limits.max_price for name in _present(contract, _PRICES)]
        ),
        "in_the_future": _any(
            [typed_value(column) >= F.date_add(names.DAY, 1) for column in _times(contract)]
        ),
        "too_late": _any(
            [
                typed_value(column) < F.date_add(names.DAY, -limits.lateness_days)
                for column in _times(contract)
                if column.logical_type == "timestamp"
            ]
        ),
    }
    return F.coalesce(
        *(F.when(conditions[reason], reason) for reason in REASONS if reason in conditions)
    )


def breaks_contract(table: Contract) -> Column:
    """Whether a typed row violates the contract of its table."""
    return _any([~F.expr(condition) for condition in delta_constraints(table).values()])


def _any(conditions: Sequence[Column]) -> Column:
    """Whether any condition holds; a null condition (no value) does not hold."""
    held = [F.coalesce(condition, F.lit(False)) for condition in conditions]
    return reduce(Column.__or__, held, F.lit(False))


def _misfits(contract: Contract) -> list[Column]:
    numbers = [
        F.isnan(column.name) if column.physical_type == "double" else ~is_whole(column)
        for column in contract.columns
        if column.logical_type in ("number", "integer")
    ]
    # Spark reads an object or a list as text if the schema has a string.
    nested = [
        F.col(column.name).startswith('{"') | F.col(column.name).startswith('["')
        for column in contract.columns
        if column.physical_type == "string" and not column.nullable
    ]
    return numbers + nested


def _is_missing(column: ContractColumn) -> Column:
    if column.nullable:
        return F.lit(False)
    if column.physical_type == "string":
        return F.col(column.name).isNull() | (F.trim(column.name) == "")
    return F.col(column.name).isNull()


def _is_unknown(contract: Contract, table: Contract) -> Column:
    return _any(
        [
            ~F.col(check.columns[0]).isin(*check.values)
            for check in table.checks
            if check.kind == "values" and check.columns[0] in contract.column_names
        ]
    )


def _is_not_a_time(column: ContractColumn) -> Column:
    return F.col(column.name).isNotNull() & typed_value(column).isNull()


def _times(contract: Contract) -> list[ContractColumn]:
    return [column for column in contract.columns if column.logical_type in ("timestamp", "date")]


def _present(contract: Contract, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if name in contract.column_names]
