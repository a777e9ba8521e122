"""Rows made from a contract alone: some pass every check, and one fails a given check."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from grove.contracts import Check, Column, Contract, arrow_schema

Row = dict[str, Any]

TEXTS = (
    "{name}{row}",
    "stage_{letters}",
    "{sha256}",
    "{sha256:.12}",
    "2026-08-20T08:00:{second:02d}.123Z",
    "2026-08-20",
    "{{}}",
)
"""Tried in turn until one keeps the pattern of a column; the earlier ones differ by row."""
SCALARS: Mapping[str, Any] = {
    "boolean": True,
    "float": 1.0,
    "date": date(2026, 8, 20),
    "timestamp": datetime(2026, 8, 20, 8, tzinfo=UTC),
}


def valid_rows(contract: Contract, count: int) -> list[Row]:
    """Rows that differ in their keys and pass every check."""
    return [
        {column.name: _value(column, contract, row) for column in contract.columns}
        for row in range(count)
    ]


def break_row(row: Row, check: Check, other: Row) -> Row:
    """The row with the one promise broken; `other` is another row, to repeat its key."""
    column = check.columns[0]
    if check.kind == "unique":
        return row | {name: other[name] for name in check.columns}
    if check.kind == "same_length":
        return row | {column: [*row[column], row[column][0]]}
    return row | {column: _broken_value(check)}


def as_table(rows: list[Row], contract: Contract) -> pa.Table:
    """The rows in the contract's types, without its nullability, so that values can be missing."""
    fields = [pa.field(field.name, field.type) for field in arrow_schema(contract)]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def broken_everywhere(contract: Contract) -> tuple[pa.Table, list[Check]]:
    """One table in which row k breaks check k, for all checks without a tolerated share."""
    checks = [check for check in contract.checks if not check.tolerated_share]
    rows = valid_rows(contract, len(checks) + 1)
    broken = [break_row(row, check, rows[-1]) for row, check in zip(rows[:-1], checks, strict=True)]
    return as_table([*broken, rows[-1]], contract), checks


def _value(column: Column, contract: Contract, row: int) -> Any:
    checks = [check for check in contract.checks if check.columns[0] == column.name]
    if column.logical_type == "array":
        element = column.physical_type.removeprefix("array<").removesuffix(">")
        if element == "float":
            return [0.6, 0.8]
        return [_scalar(column.name, element, [], index) for index in range(2)]
    return _scalar(column.name, column.physical_type, checks, row)


def _scalar(name: str, physical_type: str, checks: list[Check], row: int) -> Any:
    for check in checks:
        if check.kind == "values":
            return check.values[row % len(check.values)]
    if physical_type == "string":
        patterns = [check.pattern for check in checks if check.pattern]
        parts = {
            "name": name,
            "row": row,
            "letters": "a" * (row + 1),
            "sha256": hashlib.sha256(str(row).encode()).hexdigest(),
            "second": row % 60,
        }
        texts = (text.format(**parts) for text in TEXTS)
        return next(t for t in texts if all(re.search(pattern, t) for pattern in patterns))
    if physical_type in ("int", "bigint", "double"):
        most = min([row + 1, *(check.maximum for check in checks if check.maximum is not None)])
        return float(most) if physical_type == "double" else int(most)
    return SCALARS[physical_type]


def _broken_value(check: Check) -> Any:
    broken: dict[str, Any] = {
        "not_null": None,
        "values": "no such value",
        "pattern": " /?",
        "norm": [float("nan"), 0.0],
    }
    if check.kind in broken:
        return broken[check.kind]
    below = check.minimum is not None and (check.kind == "range" or check.minimum > 0)
    bound = (check.minimum or 0) - 1 if below else (check.maximum or 0) + 1
    if check.kind == "range":
        return bound
    return ("x" if check.kind == "length" else ["x"]) * int(bound)
