"""Inputs of the models on a day: item table, text vectors, histories, and files for workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, lit

from grove.datasets import HISTORIES, ITEMS, TEXT_EMBEDDINGS, Layout
from grove.errors import DataError
from grove.features.history_files import distinct_values, event_vocabulary
from grove.features.items import build_item_table, item_attributes
from grove.features.vocabulary import load_vocabulary, save_vocabulary
from grove.runtime.tables import newest_rows_as_of, partition_files, read_arrow, read_spark
from grove.stages.handoffs import read_encoder
from grove.texts.prompt import item_texts, query_text, text_hash
from grove.training.job_spec import ITEM_TABLE_FILE, QUERY_VECTORS_FILE


@dataclass(frozen=True, kw_only=True)
class PassInputs:
    """Prepared inputs of one pass."""

    folder: Path
    """Holds item_table.parquet, query_vectors.parquet and the vocabulary."""
    item_table: pa.Table
    """Items as of the day, new ones included; see `build_item_table`."""
    files: Sequence[str]
    """Parquet files of the cut of `histories`."""

    @property
    def history_count(self) -> int:
        """Rows of the files."""
        return sum(pq.ParquetFile(file).metadata.num_rows for file in self.files)


def prepare_inputs(
    layout: Layout, day: date, *, cut: str, folder: Path, warm_start: Path | None = None
) -> PassInputs:
    """Read the day's items, texts and histories, and write what the workers share.

    A training from scratch uses the items as of D−1, and all attributes and scene values. The day's
    own items would be nothing but negatives or, in a shop without a catalogue, reveal what is
    bought on the day. They join later, as new items do on any day. A warm start keeps its
    vocabulary's rows, and adds the day's items.

    Args:
        layout: paths of the home.
        day: D.
        cut: `before` or `through`, of the histories.
        folder: to write to, made when absent; it may be removed after the pass.
        warm_start: model folder to resume from; none: from scratch.

    Returns:
        The inputs.

    Raises:
        DataError: embed_texts has not run for the day, or left an item without a vector; no
            item had landed before the day.
    """
    vectors = text_vectors(layout, read_encoder(layout, day))
    item_table = item_table_of(items_as_of(layout, day), vectors)
    learnt = item_table if warm_start else _items_to_learn(layout, day, vectors)
    files = partition_files(layout, HISTORIES, {"day": day, "cut": cut})
    folder.mkdir(parents=True, exist_ok=True)
    earlier = load_vocabulary(warm_start) if warm_start else event_vocabulary(files)
    attributes = [name for names in item_attributes(learnt) for name in names]
    save_vocabulary(folder, earlier.grow(learnt["item_id"].to_pylist(), attributes))
    pq.write_table(learnt, folder / ITEM_TABLE_FILE)
    pq.write_table(_query_vectors(vectors, files), folder / QUERY_VECTORS_FILE)
    return PassInputs(folder=folder, item_table=item_table, files=files)


def day_before(day: date) -> date:
    """D−1, the last day whose data a candidate may use."""
    return day - timedelta(days=1)


def day_item_table(layout: Layout, day: date) -> pa.Table:
    """Items as of a day with the vectors of their texts, by the day's encoder."""
    vectors = text_vectors(layout, read_encoder(layout, day))
    return item_table_of(items_as_of(layout, day), vectors)


def write_item_table(folder: Path, item_table: pa.Table) -> Path:
    """Write an item table where every worker of a stage can read it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ITEM_TABLE_FILE
    pq.write_table(item_table, file)
    return file


def item_table_of(items: pa.Table, vectors: pa.Table) -> pa.Table:
    """Some rows of `items`, one per item, with the vectors of their texts; see `text_vectors`."""
    hashes = pa.array([text_hash(text) for text in item_texts(items)], pa.string())
    return build_item_table(items.append_column("text_hash", hashes), vectors)


def items_as_of(layout: Layout, day: date) -> pa.Table:
    """Newest row of every item that had landed by a day."""
    return newest_rows_as_of(layout, ITEMS, "item_id", day)


def product_ids(layout: Layout, day: date, item_ids: pa.ChunkedArray) -> pa.ChunkedArray:
    """Products of items as of a day, [N] strings; null for an item without one."""
    rows = newest_rows_as_of(layout, ITEMS, "item_id", day, columns=("product_id",))
    return rows["product_id"].take(
        pc.index_in(item_ids, value_set=rows["item_id"].combine_chunks())
    )


def known_items(layout: Layout, day: date, item_ids: pa.ChunkedArray) -> np.ndarray:
    """Mark the items that had landed before a day, [N] bool."""
    known = newest_rows_as_of(layout, ITEMS, "item_id", day_before(day), columns=())["item_id"]
    found = pc.is_in(item_ids, value_set=known.combine_chunks())
    return np.asarray(found.to_numpy(), dtype=bool)


def text_vectors(layout: Layout, encoder: str) -> pa.Table:
    """Vectors of all texts by an encoder: text_hash, vector."""
    return read_arrow(layout, TEXT_EMBEDDINGS, columns=("text_hash", "vector"), encoder=encoder)


def histories_through(spark: SparkSession, layout: Layout, day: date) -> DataFrame:
    """Histories of a day that include it."""
    histories = read_spark(spark, layout, HISTORIES)
    return histories.where((col("day") == lit(day)) & (col("cut") == "through"))


def _items_to_learn(layout: Layout, day: date, vectors: pa.Table) -> pa.Table:
    known = item_table_of(items_as_of(layout, day_before(day)), vectors)
    if not len(known):
        raise DataError(
            "there is no item to train on",
            where=f"items, as of {day_before(day)}",
            expected="items that landed before the day, as its history does",
            found="none",
            next_step="ingest the history again, the catalogue feed with it, if there is one",
        )
    return known


def _query_vectors(vectors: pa.Table, files: Sequence[str]) -> pa.Table:
    """Queries of the histories that have a vector, with it, in alphabetical order."""
    rows: Mapping[str, int] = {
        name: row for row, name in enumerate(vectors["text_hash"].to_pylist())
    }
    named = [(query, text_hash(query_text(query))) for query in distinct_values(files, "queries")]
    known = [(query, rows[name]) for query, name in named if name in rows]
    chosen = pa.array([row for _, row in known], pa.int64())
    queries = pa.array([query for query, _ in known], pa.string())
    return pa.table({"query": queries, "vector": vectors["vector"].take(chosen)})
