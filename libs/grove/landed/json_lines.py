"""Rows of JSON lines: one object per line, in UTF-8."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from io import BufferedIOBase
from typing import Any

from grove.landed.blocks import Block
from grove.landed.headers import has_carriage_returns, open_text
from grove.landed.rows import (
    MALFORMED,
    MOST_LINE_BYTES,
    MOST_RAW_CHARACTERS,
    NOT_UTF8,
    TOO_LONG,
    RawRows,
    in_batches,
)

_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_BLANK = _BOM.encode() + b" \t\r\n"
_Pairs = list[tuple[str, Any]]


def read_json_lines(block: Block, columns: Sequence[str]) -> Iterator[RawRows]:
    """Read the lines that start in a block.

    Blank lines are no rows, and a byte order mark before a line is ignored. A line that is not
    one object, that repeats a name, or that continues behind its object is `malformed`.

    Args:
        block: of a file of JSON lines.
        columns: names of the contract's columns.
    """
    lines = enumerate(_lines(block), start=block.first_line)
    filled = (numbered for numbered in lines if numbered[1].strip(_BLANK))
    for batch in in_batches(filled, lambda numbered: len(numbered[1])):
        yield _parse(batch, columns)


def _parse(numbered: Sequence[tuple[int, bytes]], columns: Sequence[str]) -> RawRows:
    defects: dict[int, str] = {}
    texts: list[str] = []
    rows: list[dict[str, Any]] = []
    for row, (_, line) in enumerate(numbered):
        text, value, defect = _object(line)
        texts.append(text)
        rows.append(value)
        if defect:
            defects[row] = defect
    return RawRows(
        lines=[number for number, _ in numbered],
        columns={name: [row.get(name) for row in rows] for name in columns},
        fields=frozenset[str]().union(*rows),
        texts=texts,
        defects=defects,
    )


def _object(line: bytes) -> tuple[str, dict[str, Any], str | None]:
    """The text of a line, its object, and why it has none."""
    if len(line) > MOST_LINE_BYTES:
        return line[:MOST_RAW_CHARACTERS].decode(errors="replace"), {}, TOO_LONG
    try:
        text = line.decode().strip(_BOM + " \t\r\n")
    except UnicodeDecodeError:
        return line.decode(errors="replace").strip(), {}, NOT_UTF8
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return text, {}, MALFORMED
    return (text, value, None) if type(value) is dict else (text, {}, MALFORMED)


def _without_repeats(pairs: _Pairs) -> dict[str, Any] | _Pairs:
    """An object, or its pairs where a name occurs twice: nothing says which value is meant."""
    value = dict(pairs)
    return value if len(value) == len(pairs) else pairs


_DECODER = json.JSONDecoder(object_pairs_hook=_without_repeats)


def _lines(block: Block) -> Iterator[bytes]:
    """Lines with their ends; one that is too long is cut behind its limit."""
    with _open(block) as stream:
        position = block.start
        if block.start:
            # The line that the byte before the range belongs to is of the block before.
            stream.seek(block.start - 1)
            position += _next_line(stream)[1] - 1
        while block.stop is None or position < block.stop:
            line, size_bytes = _next_line(stream)
            if not size_bytes:
                return
            position += size_bytes
            yield line


def _next_line(stream: BufferedIOBase) -> tuple[bytes, int]:
    """A line up to its limit, and its whole size in bytes."""
    line = rest = stream.readline(MOST_LINE_BYTES + 1)
    size_bytes = len(line)
    while len(rest) > MOST_LINE_BYTES and not rest.endswith(b"\n"):
        rest = stream.readline(MOST_LINE_BYTES + 1)
        size_bytes += len(rest)
    return line, size_bytes


def _open(block: Block) -> BufferedIOBase:
    """The file as lines that end in a line feed; old files with carriage returns only are read."""
    stream = open_text(block.file)
    if block.start or block.stop is not None or not has_carriage_returns(stream):
        return stream
    with stream:
        return io.BytesIO(stream.read().replace(b"\r", b"\n"))
