"""Arrow tables → JSON lines, column by column: row by row would be ten times slower."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

_NEEDS_ESCAPE = r'["\\\x00-\x1f]'


def json_lines(table: pa.Table) -> pa.Array:
    """Render each row as one JSON object.

    Args:
        table: columns of strings, numbers and lists of strings; nulls become `null`, and so do
            NaN and infinity, which JSON cannot represent.

    Returns:
        String array with one line per row, without line ends.

    Example:
        >>> json_lines(pa.table({"user_id": ["a"], "position": [3]})).to_pylist()
        ['{"user_id":"a","position":3}']
    """
    parts: list[object] = []
    for index, name in enumerate(table.column_names):
        opening = "{" if index == 0 else ","
        parts.append(f"{opening}{json.dumps(name)}:")
        parts.append(_values_as_json(table.column(name).combine_chunks()))
    return pc.binary_join_element_wise(*parts, "}", "")


def in_files(lines: pa.Array, *, lines_per_file: int) -> Iterator[bytes]:
    """Cut lines into file contents, each ending in a newline.

    Args:
        lines: string or binary array; may be empty, which gives one empty file.
        lines_per_file: most lines in one file.
    """
    if len(lines) == 0:
        yield b""
    for start in range(0, len(lines), lines_per_file):
        chunk = lines.slice(start, lines_per_file).cast(pa.binary())
        yield b"\n".join(chunk.to_pylist()) + b"\n"


def _values_as_json(values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        return _strings_as_json(values)
    if pa.types.is_list(values.type):
        return _dumped(values)
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, None)
    return pc.fill_null(values.cast(pa.string()), "null")


def _strings_as_json(values: pa.Array) -> pa.Array:
    if pc.any(pc.match_substring_regex(values, _NEEDS_ESCAPE)).as_py():
        return _dumped(values)
    return pc.fill_null(pc.binary_join_element_wise('"', values, '"', ""), "null")


def _dumped(values: pa.Array) -> pa.Array:
    texts = [
        json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values.to_pylist()
    ]
    return pa.array(texts, pa.string())
