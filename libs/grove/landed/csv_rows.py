"""Rows of CSV files as RFC 4180 defines them.

Fields are separated by commas; a field may be quoted, and then holds commas, line breaks, and
quotes written twice. The first line names the columns, in any order.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

from grove.landed.blocks import Block
from grove.landed.csv_lines import CsvLines, stripped
from grove.landed.headers import open_text
from grove.landed.rows import (
    MALFORMED,
    MOST_LINE_BYTES,
    NOT_UTF8,
    TOO_LONG,
    RawRows,
    in_batches,
    is_unicode,
)

_MISSING = ("", r"\N")
"""Fields without a value; databases export a null as the latter."""
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
        lines = CsvLines(stream)
        header = lines.read_header()
        for batch in in_batches(_rows(lines, header), lambda row: len(row[1])):
            yield _by_column(batch, header, columns)


def _rows(lines: CsvLines, header: list[str]) -> Iterator[_Row]:
    # A field longer than this would be a quote that is never closed.
    csv.field_size_limit(MOST_LINE_BYTES)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.start_row()
        try:
            fields: list[str] | None = next(reader)
        except StopIteration:
            return
        except csv.Error:
            lines.keep_first()
            fields = None
            reader = csv.reader(lines, strict=True)
        text = "".join(lines.taken)
        start = lines.number - len(lines.taken) + 1
        if text.strip() and not (fields and stripped(fields) == header):
            yield start, text.rstrip("\r\n"), fields or [], _defect(text, fields, header)


def _defect(text: str, fields: list[str] | None, header: list[str]) -> str | None:
    if len(text) > MOST_LINE_BYTES:
        return TOO_LONG
    if not text.isascii() and not is_unicode(text):
        return NOT_UTF8
    if not fields or len(fields) != len(header) or _has_quotes_as_text(text, fields):
        return MALFORMED
    return None


def _has_quotes_as_text(text: str, fields: list[str]) -> bool:
    """Whether a space before a quote made the quotes part of a field."""
    return ', "' in text and any(
        field.startswith(" ") and field.lstrip().startswith('"') for field in fields
    )


def _by_column(rows: Sequence[_Row], header: list[str], columns: Sequence[str]) -> RawRows:
    defects = {number: row[3] for number, row in enumerate(rows) if row[3]}
    places = {name: header.index(name) for name in columns if name in header}
    values = [fields if defect is None else None for _, _, fields, defect in rows]
    return RawRows(
        lines=[row[0] for row in rows],
        columns={
            name: [None if not row or row[place] in _MISSING else row[place] for row in values]
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
