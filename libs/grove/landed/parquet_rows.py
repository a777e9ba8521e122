"""Rows of Parquet files, each file by its own schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from grove.landed.blocks import Block
from grove.landed.headers import open_parquet
from grove.landed.rows import BATCH_ROWS, RawRows


def read_parquet(block: Block, columns: Sequence[str]) -> Iterator[RawRows]:
    """Read the row groups of a block; columns that no contract knows are named and not read.

    Args:
        block: of a Parquet file.
        columns: names of the contract's columns.
    """
    opened = open_parquet(block.file, columns)
    names = opened.schema_arrow.names
    stop = opened.num_row_groups if block.stop is None else block.stop
    line = block.first_line
    for batch in opened.iter_batches(
        BATCH_ROWS,
        row_groups=range(block.start, stop),
        columns=[name for name in names if name in columns],
    ):
        yield RawRows(
            lines=range(line, line + batch.num_rows),
            columns={
                name: _plain(values)
                for name, values in zip(batch.schema.names, batch.columns, strict=True)
                if name in columns
            },
            fields=frozenset(names),
        )
        line += batch.num_rows


def _plain(values: pa.Array) -> pa.Array:
    """Data frames write nanoseconds, which neither Python nor the tables hold."""
    kind = values.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return values.cast(pa.timestamp("us", kind.tz), safe=False)
    return values
