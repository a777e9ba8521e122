"""A landed day in a folder, read as ingest reads it, without Spark."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from grove.contracts import feed_dataset, load_contract
from grove.datasets import FEED_DATASETS
from grove.landed import FeedReader, Limits, cut_blocks, landed_files, read_table
from grove.landed.blocks import BLOCK_BYTES

DAY = date(2026, 11, 19)
LIMITS = Limits(max_price=1000.0, lateness_days=3)
EVENT = {
    "event_id": "e1",
    "event_type": "click",
    "user_id": "u1",
    "item_id": "i1",
    "event_time": "2026-11-19T08:01:02.123Z",
}
ITEM = {
    "item_id": "i1",
    "title": "Red mug",
    "category_path": ["Home", "Kitchen"],
    "tags": ["red"],
    "price": 4.5,
    "regions": ["north"],
    "first_seen": "2026-11-19",
}
Line = dict[str, Any] | str | bytes
Rows = list[dict[str, Any]]


def json_file(*lines: Line, end: bytes = b"\n") -> bytes:
    """Content of a file of JSON lines."""
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    return b"".join((text.encode() if isinstance(text, str) else text) + end for text in texts)


def parquet_file(columns: Mapping[str, Any] | pa.Table, **options: Any) -> bytes:
    """Content of a Parquet file."""
    table = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def event_columns(rows: int, **changes: Any) -> dict[str, Any]:
    """Columns of valid events, for a Parquet file."""
    columns: dict[str, Any] = {name: [value] * rows for name, value in EVENT.items()}
    return columns | {"event_id": [f"e{row}" for row in range(rows)]} | changes


def read_feed(
    folder: Path,
    files: Mapping[str, bytes],
    feed: str = "events",
    *,
    block_bytes: int = BLOCK_BYTES,
) -> Rows:
    """Write the files of a day and read them back: all rows, rejected ones among them."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    paths = [str(path) for path in folder.rglob("*") if path.is_file()]
    reader = feed_reader(feed)
    landed = landed_files(str(folder), DAY, paths)
    blocks = cut_blocks(landed, reader.contract.column_names, block_bytes=block_bytes)
    return read_table(reader, blocks).to_pylist()


def feed_reader(feed: str = "events") -> FeedReader:
    """The reader of a feed."""
    return FeedReader(
        contract=load_contract(feed_dataset(feed)),
        table=load_contract(FEED_DATASETS[feed]),
        limits=LIMITS,
    )


def read_lines(folder: Path, *lines: Line, feed: str = "events") -> Rows:
    """Read one file of JSON lines."""
    return read_feed(folder, {"part.jsonl": json_file(*lines)}, feed)


def reasons(rows: Sequence[Mapping[str, Any]]) -> dict[int, str]:
    """Line → reason of the rejected rows."""
    return {row["landed_line"]: row["landed_reason"] for row in rows if row["landed_reason"]}


def accepted(rows: Rows) -> Rows:
    """The rows without a reason."""
    return [row for row in rows if row["landed_reason"] is None]
