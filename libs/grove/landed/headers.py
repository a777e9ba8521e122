"""Column names of CSV and Parquet files, validated before any row is read."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Sequence
from io import BufferedIOBase
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grove.landed.csv_lines import CsvLines
from grove.landed.files import LandedFile, unreadable
from grove.landed.rows import MOST_LINE_BYTES

_SEPARATORS = ";\t|"


def open_text(file: LandedFile) -> BufferedIOBase:
    """The bytes of a text file, decompressed."""
    return gzip.open(file.path, "rb") if file.gzipped else Path(file.path).open("rb")


def has_carriage_returns(stream: BufferedIOBase) -> bool:
    """Whether lines end in carriage returns only, as of old systems; the stream is rewound."""
    head = stream.read(MOST_LINE_BYTES + 1)
    stream.seek(0)
    return b"\r" in head[:-1] and b"\n" not in head


def require_csv_header(file: LandedFile, columns: Sequence[str]) -> None:
    """Reject a CSV file whose first row is no header of the feed; an empty file has no rows.

    Raises:
        DataError: no column of the contract is named, or one is named twice.
    """
    try:
        with open_text(file) as stream:
            names = CsvLines(stream).read_header()
        ", ".join(names).encode()
    except (OSError, EOFError, zlib.error, UnicodeError, csv.Error) as error:
        raise unreadable(file.path, expected="a header in UTF-8", found=str(error)) from error
    if names:
        _require_names(file.path, names, columns, ",".join(names))


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
