"""Block → batches of typed rows, each valid or with the reason of its rejection."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from grove.contracts.arrow_types import arrow_schema
from grove.contracts.contract import Contract
from grove.landed import columns as names
from grove.landed.blocks import Block
from grove.landed.convert import convert_column
from grove.landed.csv_rows import read_csv
from grove.landed.json_lines import read_json_lines
from grove.landed.numbers import TIMESTAMP
from grove.landed.parquet_rows import read_parquet
from grove.landed.reasons import UNREADABLE, Limits, rejection_reasons
from grove.landed.rows import RawRows, storable_text

MOST_FIELDS = 1_000
"""Names of unknown fields that one batch reports."""
MOST_FIELD_CHARACTERS = 200
_READERS = {
    "JSON lines": read_json_lines,
    "CSV": read_csv,
    "Parquet": read_parquet,
}
_DAMAGED = (OSError, EOFError, zlib.error, ValueError, OverflowError, pa.ArrowException)
_TYPES = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "date": pa.date32(),
    "timestamp": TIMESTAMP,
    "array": pa.list_(pa.string()),
}
"""Types of the columns that a feed has and its table has not, by logical type."""
_BLOCK_BITS = 40
"""Row ids hold the block in their upper bits, so that ids ascend in the order of landing."""


def batch_schema(contract: Contract, table: Contract) -> pa.Schema:
    """Columns of a batch: the bookkeeping, and those of the feed in the types of its table."""
    types = {field.name: field.type for field in arrow_schema(table)}
    return pa.schema(
        [
            pa.field(names.DAY, pa.date32()),
            pa.field(names.FILE, pa.string()),
            pa.field(names.ROW_ID, pa.int64()),
            pa.field(names.LINE, pa.int64()),
            pa.field(names.REASON, pa.string()),
            pa.field(names.TEXT, pa.string()),
            pa.field(names.FIELDS, pa.list_(pa.string())),
            *(
                pa.field(column.name, _plain(types.get(column.name, _TYPES[column.logical_type])))
                for column in contract.columns
            ),
        ]
    )


@dataclass(frozen=True, kw_only=True)
class FeedReader:
    """Reads the blocks of one feed; sent to Spark's workers as it is.

    Args:
        contract: of the feed.
        table: contract of the feed's table.
        limits: allowed range of prices and times.
    """

    contract: Contract
    table: Contract
    limits: Limits

    def read(self, blocks: Iterable[Block]) -> Iterator[pa.RecordBatch]:
        """The rows of some blocks, in their order.

        A file that turns out to be damaged ends in a row with the reason `unreadable`, whose text
        says why: an exception would reach the driver as a failure of Spark.
        """
        schema = batch_schema(self.contract, self.table)
        for block in blocks:
            try:
                for rows in _READERS[block.file.format](block, self.contract.column_names):
                    yield self._batch(block, rows, schema)
            except _DAMAGED as error:
                damage = RawRows(
                    lines=[0],
                    columns={},
                    fields=frozenset(),
                    texts=[f"{type(error).__name__}: {error}"],
                    defects={0: UNREADABLE},
                )
                yield self._batch(block, damage, schema)

    @cached_property
    def _longest(self) -> dict[str, float | None]:
        """Column → most characters of a text, or elements of a list, by the feed's contract."""
        return {
            check.columns[0]: check.maximum
            for check in self.contract.checks
            if check.kind in ("length", "items")
        }

    def _batch(self, block: Block, rows: RawRows, schema: pa.Schema) -> pa.RecordBatch:
        count, lines = len(rows.lines), np.asarray(rows.lines, dtype=np.int64)
        converted = {
            column.name: convert_column(
                column,
                rows,
                schema.field(column.name).type,
                block.file.format,
                self._longest.get(column.name),
            )
            for column in self.contract.columns
        }
        reasons = rejection_reasons(
            converted,
            rows.defects,
            block.file.day,
            contract=self.contract,
            table=self.table,
            limits=self.limits,
        )
        texts = [
            None if reason is None else storable_text(rows.text(row))
            for row, reason in enumerate(reasons)
        ]
        bookkeeping = {
            names.DAY: pa.repeat(pa.scalar(block.file.day, pa.date32()), count),
            names.FILE: pa.repeat(block.file.name, count),
            names.ROW_ID: pa.array((block.number << _BLOCK_BITS) + lines),
            names.LINE: pa.array(lines),
            names.REASON: pa.array(reasons.tolist(), pa.string()),
            names.TEXT: pa.array(texts, pa.string()),
            names.FIELDS: pa.array(
                [_field_names(rows.fields), *[None] * (count - 1)], pa.list_(pa.string())
            ),
        }
        typed = {name: column.values for name, column in converted.items()}
        return pa.record_batch([(bookkeeping | typed)[name] for name in schema.names], schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    """The type without the name of a list's element, which Spark and Arrow choose differently."""
    return pa.list_(kind.value_type) if pa.types.is_list(kind) else kind


def _field_names(fields: frozenset[str]) -> list[str]:
    shown = (name[:MOST_FIELD_CHARACTERS] for name in fields)
    return sorted(map(storable_text, shown))[:MOST_FIELDS]


def read_table(reader: FeedReader, blocks: Iterable[Block]) -> pa.Table:
    """All rows of some blocks, held by this process."""
    schema = batch_schema(reader.contract, reader.table)
    return pa.Table.from_batches(reader.read(blocks), schema)


def task_of_blocks(
    reader: FeedReader, blocks: Sequence[Block]
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """A function for `DataFrame.mapInArrow` that turns numbers of blocks into their rows."""

    def read(numbers: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        chosen = (number for batch in numbers for number in batch.column(0).to_pylist())
        yield from reader.read(blocks[number] for number in chosen)

    return read
