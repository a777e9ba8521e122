"""Rows of a block as they were read: values by column, before they are typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pyarrow as pa

Row = TypeVar("Row")

MALFORMED = "malformed"
NOT_UTF8 = "not_utf8"
TOO_LONG = "too_long"
MOST_LINE_BYTES = 1024 * 1024
"""A longer line, or row of a CSV file, is rejected as `too_long`."""
MOST_RAW_CHARACTERS = 65_536
"""A rejected row is kept up to this length."""
BATCH_ROWS = 8_192
"""Rows that are typed together, unless they are long."""
BATCH_CHARACTERS = 16 * 1024 * 1024
"""Length of the rows of a batch after which it ends."""


@dataclass(frozen=True, kw_only=True)
class RawRows:
    """Some consecutive rows of a file."""

    lines: Sequence[int]
    """Line, or number, of each row."""
    columns: Mapping[str, list[Any] | pa.Array]
    """Values of the contract's columns that the rows have."""
    fields: frozenset[str]
    """All field names found, those of the contract and others."""
    texts: Sequence[str] | None = None
    """Each row as it landed; none where the format has no text."""
    defects: Mapping[int, str] = field(default_factory=dict)
    """Row → why it could not be read."""

    def text(self, row: int) -> str:
        """A row as it landed, shortened to what the quarantine keeps."""
        if self.texts is not None:
            return self.texts[row][:MOST_RAW_CHARACTERS]
        values = {
            name: python_values(column[row : row + 1]) for name, column in self.columns.items()
        }
        found = {name: value for name, (value,) in values.items() if value is not None}
        return json.dumps(found, ensure_ascii=True, default=str)[:MOST_RAW_CHARACTERS]


def python_values(column: list[Any] | pa.Array) -> list[Any]:
    """Values as Python objects; a string that is not UTF-8 stays bytes.

    A time that Python cannot hold, such as the infinity of a database, becomes a tuple, which is
    of no type that a column accepts.
    """
    if isinstance(column, list):
        return column
    if _is_binary(column.type):
        return _bytes_where_needed(column)
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return _bytes_where_needed(column)
    except (OverflowError, ValueError, KeyError):
        return [(None,) if value.is_valid else None for value in column]


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_binary(kind: pa.DataType) -> bool:
    element = kind.value_type if _is_list(kind) else kind
    return bool(pa.types.is_binary(element) or pa.types.is_large_binary(element))


def _bytes_where_needed(column: pa.Array) -> list[Any]:
    if _is_list(column.type):
        lists = column.cast(pa.large_list(pa.large_binary())).to_pylist()
        return [each if each is None else list(map(_decoded, each)) for each in lists]
    return list(map(_decoded, column.cast(pa.large_binary()).to_pylist()))


def _decoded(value: bytes | None) -> str | bytes | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def in_batches(rows: Iterable[Row], length: Callable[[Row], int]) -> Iterator[list[Row]]:
    """Group rows into batches that are typed together: `BATCH_ROWS`, or fewer that are long."""
    batch: list[Row] = []
    total = 0
    for row in rows:
        batch.append(row)
        total += length(row)
        if len(batch) == BATCH_ROWS or total > BATCH_CHARACTERS:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def is_unicode(text: str) -> bool:
    """Whether a text has no half of a surrogate pair, which UTF-8 cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable_text(text: str) -> str:
    """A text that UTF-8 can hold: half of a surrogate pair becomes a replacement character."""
    return text if text.isascii() else text.encode(errors="replace").decode()
