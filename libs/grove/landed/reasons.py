"""Reasons for rejecting a landed row: one per row, the first that applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.contracts.constraints import is_row_check
from grove.contracts.contract import Check, Contract
from grove.contracts.contract import Column as ContractColumn
from grove.landed.numbers import TIMESTAMP, UNPARSEABLE_TIME
from grove.landed.rows import MALFORMED, NOT_UTF8, TOO_LONG
from grove.landed.texts import EMPTY_ELEMENT, UNPRINTABLE_ID, WRONG_TYPE, Converted

MISSING_KEY = "missing_key"
UNKNOWN_EVENT_TYPE = "unknown_event_type"
BREAKS_CONTRACT = "breaks_contract"
UNREADABLE = "unreadable"
"""Not a reason of a row: the rest of its file cannot be read, and the day fails."""
REASONS = (
    UNREADABLE,
    NOT_UTF8,
    TOO_LONG,
    MALFORMED,
    WRONG_TYPE,
    EMPTY_ELEMENT,
    UNPRINTABLE_ID,
    MISSING_KEY,
    UNKNOWN_EVENT_TYPE,
    UNPARSEABLE_TIME,
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

_RANK = {reason: rank for rank, reason in enumerate(REASONS)}
_PRICES = {"price"}
_QUANTITIES = {"quantity", "stock"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits on prices and times of a row."""

    max_price: float
    """A price above this is absurd; in the currency of the source."""
    lateness_days: int
    """Largest age of an event at its landing, in days."""


def rejection_reasons(
    columns: Mapping[str, Converted],
    unread: Mapping[int, str],
    day: date,
    *,
    contract: Contract,
    table: Contract,
    limits: Limits,
) -> np.ndarray:
    """The first reason that applies to each row.

    Args:
        columns: every column of the feed's contract, N values each.
        unread: row → why it could not be read.
        day: landing day of the rows.
        contract: of the feed.
        table: contract of the feed's table; its checks list the event types.
        limits: allowed range of prices and times.

    Returns:
        [N] object array of reasons; None for a valid row.
    """
    rows = len(next(iter(columns.values())).values)
    ranks = np.full(rows, len(REASONS))
    for found in (unread, *(column.reasons for column in columns.values())):
        for row, reason in found.items():
            ranks[row] = min(ranks[row], _RANK[reason])
    values = {name: column.values for name, column in columns.items()}
    conditions = (
        *_column_conditions(columns, day, contract, limits),
        *_amount_conditions(values, limits),
        *_check_conditions(values, table),
    )
    for reason, mask in conditions:
        holds = pc.fill_null(mask, fill_value=False).to_numpy(zero_copy_only=False)
        ranks[holds] = np.minimum(ranks[holds], _RANK[reason])
    return np.array([*REASONS, None], dtype=object)[ranks]


def _column_conditions(
    columns: Mapping[str, Converted], day: date, contract: Contract, limits: Limits
) -> Iterator[tuple[str, pa.Array]]:
    """Reason and rows it applies to; a missing value satisfies every condition but the key's."""
    for column in contract.columns:
        values = columns[column.name].values
        if not column.nullable:
            yield MISSING_KEY, _is_missing(column, columns[column.name])
        if column.logical_type == "timestamp":
            yield from _time_conditions(values, day, limits)
        if column.logical_type == "date":
            yield "in_the_future", pc.greater(values, pa.scalar(day))


def _check_conditions(
    values: Mapping[str, pa.Array], table: Contract
) -> Iterator[tuple[str, pa.Array]]:
    for check in table.checks:
        if check.columns[0] in values and is_row_check(check):
            reason = UNKNOWN_EVENT_TYPE if check.kind == "values" else BREAKS_CONTRACT
            yield reason, breaks(check, values[check.columns[0]])


def _amount_conditions(
    values: Mapping[str, pa.Array], limits: Limits
) -> Iterator[tuple[str, pa.Array]]:
    for name in values.keys() & _PRICES:
        yield "negative_price", pc.less(values[name], 0)
        yield "absurd_price", pc.greater(values[name], limits.max_price)
    for name in values.keys() & _QUANTITIES:
        yield "negative_quantity", pc.less(values[name], 0)


def _time_conditions(times: pa.Array, day: date, limits: Limits) -> Iterator[tuple[str, pa.Array]]:
    earliest = day - timedelta(days=limits.lateness_days)
    yield "in_the_future", pc.greater_equal(times, _midnight(day + timedelta(days=1)))
    yield "too_late", pc.less(times, _midnight(earliest))


def _midnight(day: date) -> pa.Scalar:
    return pa.scalar(day, pa.date32()).cast(pa.timestamp("us")).cast(TIMESTAMP)


def _is_missing(column: ContractColumn, converted: Converted) -> pa.Array:
    missing = pc.is_null(converted.values)
    if converted.reasons:
        # A value that does not fit its column has a reason of its own.
        present = np.zeros(len(converted.values), dtype=bool)
        present[list(converted.reasons)] = True
        missing = pc.and_not(missing, pa.array(present))
    if column.logical_type == "string":
        blank = pc.equal(pc.utf8_trim_whitespace(converted.values), "")
        missing = pc.or_(missing, pc.fill_null(blank, fill_value=False))
    return missing


def breaks(check: Check, values: pa.Array) -> pa.Array:
    """Whether each value violates a check that `is_row_check`; null where there is no value."""
    if check.kind == "values":
        known = pc.is_in(values, pa.array(check.values))
        return pc.if_else(pc.is_valid(values), pc.invert(known), None)
    measures = {"range": lambda x: x, "length": pc.utf8_length, "items": pc.list_value_length}
    measured = measures[check.kind](values)
    low = pc.less(measured, -np.inf if check.minimum is None else check.minimum)
    high = pc.greater(measured, np.inf if check.maximum is None else check.maximum)
    return pc.or_kleene(low, high)
