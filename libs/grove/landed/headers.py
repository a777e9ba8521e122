"""Column names of CSV and Parquet files, validated before any row is read."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grove.landed.files import LandedFile, unreadable

_SEPARATORS = ";\t|"


def open_text(file: LandedFile) -> BufferedIOBase:
    """The bytes of a text file, decompressed."""
    return gzip.open(file.path, "rb") if file.gzipped else Path(file.path).open("rb")


def require_csv_header(file: LandedFile, columns: Sequence[str]) -> None:
    """Reject a CSV file whose first line is no header of the feed; an empty file has no rows.

    Raises:
        DataError: no column of the contract is named, or one is named twice.
    """
    try:
        with open_text(file) as stream:
            line = stream.readline(MOST_HEADER_BYTES).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise unreadable(file.path, expected="a header in UTF-8", found=str(error)) from error
    if line.strip():
        _require_names(file.path, split_header(line), columns, line)


MOST_HEADER_BYTES = 1024 * 1024


def split_header(line: str) -> list[str]:
    """Column names of a CSV header, without spaces around them.

    Example:
        >>> split_header('event_id, "user_id"')
        ['event_id', 'user_id']
    """
    return [name.strip() for name in next(csv.reader([line], skipinitialspace=True), [])]


def open_parquet(file: LandedFile, columns: Sequence[str]) -> pq.ParquetFile:
    """Open a Parquet file by its own schema.

    Raises:
        DataError: the file is damaged, names no column of the contract, or names one twice.
    """
    try:
        opened = pq.ParquetFile(file.path)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file.path, expected="a whole Parquet file", found=str(error)) from error
    names = opened.schema_arrow.names
    _require_names(file.path, names, columns, ", ".join(names))
    return opened


def _require_names(path: str, names: Sequence[str], columns: Sequence[str], header: str) -> None:
    repeated = [name for name, times in Counter(names).items() if times > 1 and name in columns]
    if repeated:
        raise unreadable(path, expected="each column once", found=f"{repeated[0]!r} twice")
    if set(names).isdisjoint(columns):
        separator = next((mark for mark in _SEPARATORS if mark in header), None)
        advice = f"; separated by {separator!r}, not by commas" if separator else ""
        raise unreadable(
            path,
            expected=f"columns of the contract: {', '.join(columns)}",
            found=f"{header.strip()[:500]!r}{advice}",
        )
