"""Rows of a block as they were read: values by column, before they are typed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

MALFORMED = "malformed"
NOT_UTF8 = "not_utf8"
TOO_LONG = "too_long"
MOST_LINE_BYTES = 1024 * 1024
"""A longer line, or row of a CSV file, is rejected as `too_long`."""
MOST_RAW_CHARACTERS = 65_536
"""A rejected row is kept up to this length."""
BATCH_ROWS = 8_192
"""Rows that are typed together."""


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
    """Values as Python objects; a string that is not UTF-8 stays bytes."""
    if isinstance(column, list):
        return column
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        values = column.cast(pa.large_binary()).to_pylist()
        return [value if value is None else _decoded(value) for value in values]


def _decoded(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def storable_text(text: str) -> str:
    """A text that UTF-8 can hold: half of a surrogate pair becomes a replacement character."""
    return text if text.isascii() else text.encode(errors="replace").decode()
