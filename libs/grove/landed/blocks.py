"""Blocks: parts of landed files, each read at once by one task.

Uncompressed JSON lines are cut at bytes and Parquet at row groups. CSV, whose quoted fields may
hold line breaks, and compressed files are one block each.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grove.landed.files import LandedFile
from grove.landed.headers import (
    has_carriage_returns,
    open_parquet,
    open_text,
    require_csv_header,
)

BLOCK_BYTES = 16 * 1024 * 1024
"""Larger files are cut into blocks of about this size."""
_READ_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Block:
    """One part of one file."""

    file: LandedFile
    number: int
    """Within the feed."""
    start: int = 0
    """First byte of JSON lines, first row group of Parquet."""
    stop: int | None = None
    """Byte or row group after the last one; none: the end of the file."""
    first_line: int = 1
    """Number of the first line, or row, in the block."""


def cut_blocks(
    files: Iterable[LandedFile], columns: Iterable[str], *, block_bytes: int = BLOCK_BYTES
) -> list[Block]:
    """Cut files into blocks, in their order.

    Lines before a block are counted here, so that every block knows the numbers of its lines.

    Args:
        files: of one feed.
        columns: of the feed's contract; a CSV or Parquet file must name each at most once.
        block_bytes: size above which a file is cut.

    Raises:
        DataError: a file is no Parquet file, or a header repeats a column or names none.
    """
    known = tuple(columns)
    parts = ((file, part) for file in files for part in _parts(file, known, block_bytes))
    return [
        Block(file=file, number=number, start=start, stop=stop, first_line=first_line)
        for number, (file, (start, stop, first_line)) in enumerate(parts)
    ]


def _parts(
    file: LandedFile, columns: tuple[str, ...], block_bytes: int
) -> Iterator[tuple[int, int | None, int]]:
    """Start, stop and first line of each block of a file."""
    if file.format == "Parquet":
        yield from _row_groups(file, columns, block_bytes)
    elif file.format == "CSV":
        require_csv_header(file, columns)
        yield 0, None, 1
    elif file.gzipped or file.size_bytes <= block_bytes or _has_carriage_returns(file):
        yield 0, None, 1
    else:
        yield from _line_ranges(file, block_bytes)


def _has_carriage_returns(file: LandedFile) -> bool:
    with open_text(file) as stream:
        return has_carriage_returns(stream)


def _line_ranges(file: LandedFile, block_bytes: int) -> Iterator[tuple[int, int | None, int]]:
    """Ranges of bytes; a block holds the lines that start within its range."""
    newlines, position = 0, 0
    with Path(file.path).open("rb") as stream:
        for start in range(0, file.size_bytes, block_bytes):
            # A line starts after the newline before it, so the byte before the range is the
            # first one that can end the last line of the block before.
            while position < start - 1:
                data = stream.read(min(_READ_BYTES, start - 1 - position))
                if not data:
                    break
                newlines += data.count(b"\n")
                position += len(data)
            stop = start + block_bytes
            yield start, stop if stop < file.size_bytes else None, newlines + (2 if start else 1)


def _row_groups(
    file: LandedFile, columns: tuple[str, ...], block_bytes: int
) -> Iterator[tuple[int, int | None, int]]:
    metadata = open_parquet(file, columns).metadata
    start, rows, rows_before, size = 0, 0, 0, 0
    for group in range(metadata.num_row_groups):
        rows += metadata.row_group(group).num_rows
        size += metadata.row_group(group).total_byte_size
        if size >= block_bytes or group == metadata.num_row_groups - 1:
            yield start, group + 1, rows_before + 1
            start, rows_before, size = group + 1, rows, 0
