"""Column of a contract → values in the type of its table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa

from grove.contracts.contract import Column
from grove.landed.files import FileFormat
from grove.landed.keywords import normal_keywords
from grove.landed.numbers import as_booleans, as_days, as_integers, as_numbers, as_times
from grove.landed.rows import RawRows
from grove.landed.texts import Converted, as_ids, as_lists, as_texts, limit_length

_KEYWORD = "query"
_ID = "_id"


def convert_column(
    column: Column,
    rows: RawRows,
    kind: pa.DataType,
    file_format: FileFormat,
    longest: float | None,
) -> Converted:
    """Convert a column; a column that the rows do not have is missing in all of them.

    Args:
        column: of the feed's contract.
        rows: as read.
        kind: type of the column in the feed's table.
        file_format: of the rows; only JSON distinguishes numbers and texts.
        longest: most characters of a text, or elements of a list; none: no limit.
    """
    values = rows.columns.get(column.name)
    if values is None:
        return Converted(values=pa.nulls(len(rows.lines), kind))
    is_csv = file_format == "CSV"
    if column.logical_type == "string":
        return _convert_text(column.name, values, longest, is_csv=is_csv)
    from_texts = file_format != "JSON lines"
    if column.logical_type == "array":
        listed = ["" if value is None else value for value in values] if is_csv else values
        return as_lists(listed, split_texts=from_texts, most=longest)
    converters: dict[str, Callable[[], Converted]] = {
        "integer": lambda: as_integers(values, kind, from_texts=from_texts),
        "number": lambda: as_numbers(values, from_texts=from_texts),
        "boolean": lambda: as_booleans(values, from_texts=from_texts),
        "timestamp": lambda: as_times(values),
        "date": lambda: as_days(values),
    }
    return converters[column.logical_type]()


def _convert_text(
    name: str, values: list[Any] | pa.Array, longest: float | None, *, is_csv: bool
) -> Converted:
    if name.endswith(_ID):
        return limit_length(as_ids(values, untyped=is_csv), longest)
    converted = limit_length(as_texts(values), longest)
    if name != _KEYWORD:
        return converted
    return Converted(values=normal_keywords(converted.values), reasons=converted.reasons)
