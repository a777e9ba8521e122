"""Check of an outside data set's file before it is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grove.errors import DataError


def require_columns(file: Path, columns: Sequence[str], *, data_set: str) -> None:
    """Read a Parquet file's footer, which is at its end: a truncated file has none.

    Args:
        file: an existing file.
        columns: required columns.
        data_set: name of the data set, for the message.

    Raises:
        DataError: the file is truncated, is no Parquet file, or lacks a column.
    """
    try:
        names = pq.read_schema(file).names
    except (pa.ArrowInvalid, OSError) as error:
        raise _wrong_file(file, "a whole Parquet file", str(error), data_set) from error
    missing = [name for name in columns if name not in names]
    if missing:
        expected = f"the columns {', '.join(columns)}"
        raise _wrong_file(file, expected, f"no {', '.join(missing)}", data_set)


def _wrong_file(file: Path, expected: str, found: str, data_set: str) -> DataError:
    return DataError(
        "the data set cannot be read",
        where=str(file),
        expected=expected,
        found=found,
        next_step=f"fetch the {data_set} data set again",
    )
