"""Rows of CSV files as RFC 4180 defines them.

Fields are separated by commas; a field may be quoted, and then holds commas, line breaks, and
quotes written twice. The first line names the columns, in any order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from grove.landed.blocks import Block
from grove.landed.headers import open_text, split_header
from grove.landed.rows import (
    BATCH_ROWS,
    MALFORMED,
    MOST_LINE_BYTES,
    NOT_UTF8,
    TOO_LONG,
    RawRows,
)

_Row = tuple[int, str, list[str], str | None]
"""Line on which the row starts, its text, its fields, and why it could not be read."""


def read_csv(block: Block, columns: Sequence[str]) -> Iterator[RawRows]:
    """Read a CSV file.

    An empty field is a missing value. Blank lines and repetitions of the header are no rows. A row
    with more or fewer fields than the header, and one whose quotes do not match, is `malformed`;
    after the latter, reading goes on with the next line.

    Args:
        block: a whole CSV file.
        columns: names of the contract's columns.
    """
    with open_text(block.file) as stream:
        buffered = io.BufferedReader(stream)
        lines = _Lines(io.TextIOWrapper(buffered, "utf-8-sig", "surrogateescape", newline=""))
        header = split_header(next(lines, ""))
        batch: list[_Row] = []
        for row in _rows(lines, header):
            batch.append(row)
            if len(batch) == BATCH_ROWS:
                yield _by_column(batch, header, columns)
                batch = []
        if batch:
            yield _by_column(batch, header, columns)


class _Lines:
    """Lines of a text, of which those read last can be given back."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self._returned: list[str] = []
        self.taken: list[str] = []
        self.number = 0
        """Of the line read last."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._returned.pop() if self._returned else self._next_line()
        self.number += 1
        self.taken.append(line)
        return line

    def keep_first(self) -> None:
        """Give back all lines taken but the first."""
        self._returned += reversed(self.taken[1:])
        self.number -= len(self.taken) - 1
        del self.taken[1:]

    def _next_line(self) -> str:
        line = self._stream.readline(MOST_LINE_BYTES + 1)
        if not line:
            raise StopIteration
        rest = line
        while len(rest) > MOST_LINE_BYTES and rest[-1] not in "\r\n":
            rest = self._stream.readline(MOST_LINE_BYTES + 1)
        return line


def _rows(lines: _Lines, header: list[str]) -> Iterator[_Row]:
    lines.taken.clear()
    # A field longer than this would be a quote that is never closed.
    csv.field_size_limit(MOST_LINE_BYTES)
    reader = csv.reader(lines, strict=True)
    while True:
        try:
            fields: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.keep_first()
            fields, reader = None, csv.reader(lines, strict=True)
        text = "".join(lines.taken)
        start = lines.number - len(lines.taken) + 1
        lines.taken.clear()
        if not text.strip() or (fields and _names(fields) == header):
            continue
        yield start, text.rstrip("\r\n"), fields or [], _defect(text, fields, header)


def _names(fields: list[str]) -> list[str]:
    return [field.strip() for field in fields]


def _defect(text: str, fields: list[str] | None, header: list[str]) -> str | None:
    if len(text) > MOST_LINE_BYTES:
        return TOO_LONG
    if not text.isascii() and not _is_utf8(text):
        return NOT_UTF8
    return None if fields and len(fields) == len(header) else MALFORMED


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _by_column(rows: Sequence[_Row], header: list[str], columns: Sequence[str]) -> RawRows:
    defects = {number: row[3] for number, row in enumerate(rows) if row[3]}
    places = {name: header.index(name) for name in columns if name in header}
    values = [fields if defect is None else None for _, _, fields, defect in rows]
    return RawRows(
        lines=[row[0] for row in rows],
        columns={
            name: [row[place] or None if row else None for row in values]
            for name, place in places.items()
        },
        fields=frozenset(header),
        texts=[_shown(row[1]) for row in rows],
        defects=defects,
    )


def _shown(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
