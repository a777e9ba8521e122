"""What a training of a day reads, prepared once and written where every rank finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.datasets import HISTORIES, ITEMS, TEXT_EMBEDDINGS
from grove.errors import DataError
from grove.features.history_files import distinct_values, event_vocabulary
from grove.features.items import build_item_table, item_attributes
from grove.features.vocabulary import load_vocabulary, save_vocabulary
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import newest_rows_as_of, partition_files, read_arrow
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


def prepare_inputs(stage: StageRun, *, cut: str, warm_start: Path | None = None) -> PassInputs:
    """Read the day's items, texts and histories, and write what the ranks share.

    A training from scratch learns of the items as of the evening before, and of every attribute
    and scene value there is: the day's own items would be negatives everywhere, or, in a shop
    without a catalogue, exactly what is bought on the day. They join later, as new items do on
    any day. A warm start keeps its vocabulary's rows, and grows by the day's items.

    Args:
        stage: of the day.
        cut: `before` or `through`, of the histories.
        warm_start: model folder to go on from; none: from scratch.

    Returns:
        The inputs; their folder is below the stage's staging folder and may be removed after the
        pass.

    Raises:
        DataError: embed_texts has not run for the day, or left an item without a vector; no
            item had landed before the day.
    """
    vectors = text_vectors(stage)
    item_table = item_table_of(_items_as_of(stage, stage.day), vectors)
    learnt = item_table if warm_start else _items_to_learn(stage, vectors)
    files = partition_files(stage.layout, HISTORIES, {"day": stage.day, "cut": cut})
    folder = inputs_folder(stage)
    earlier = load_vocabulary(warm_start) if warm_start else event_vocabulary(files)
    attributes = [name for names in item_attributes(learnt) for name in names]
    save_vocabulary(folder, earlier.grow(learnt["item_id"].to_pylist(), attributes))
    pq.write_table(learnt, folder / ITEM_TABLE_FILE)
    pq.write_table(_query_vectors(vectors, files), folder / QUERY_VECTORS_FILE)
    stage.report.rows(in_=sum(pq.ParquetFile(file).metadata.num_rows for file in files))
    return PassInputs(folder=folder, item_table=item_table, files=files)


def evening_before(stage: StageRun) -> date:
    """Last day of which a candidate may know anything."""
    return stage.day - timedelta(days=1)


def inputs_folder(stage: StageRun) -> Path:
    """Folder, made when absent, of what the ranks or workers of a stage share."""
    folder = Path(stage.layout.staging(stage.name, stage.day)) / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def day_item_table(stage: StageRun, *, as_of: date | None = None) -> pa.Table:
    """Items as of a day, the stage's if none is given, with the vectors of their texts."""
    return item_table_of(_items_as_of(stage, as_of or stage.day), text_vectors(stage))


def write_item_table(stage: StageRun) -> Path:
    """Put the day's items where every worker of the stage can read them."""
    file = inputs_folder(stage) / ITEM_TABLE_FILE
    pq.write_table(day_item_table(stage), file)
    return file


def item_table_of(items: pa.Table, vectors: pa.Table) -> pa.Table:
    """Some rows of `items`, one per item, with the vectors of their texts; see `text_vectors`."""
    hashes = pa.array([text_hash(text) for text in item_texts(items)], pa.string())
    return build_item_table(items.append_column("text_hash", hashes), vectors)


def known_items(stage: StageRun, item_ids: pa.ChunkedArray) -> np.ndarray:
    """Which items had landed by the evening before, [N] bool."""
    before = evening_before(stage)
    known = newest_rows_as_of(stage.layout, ITEMS, "item_id", before, columns=())["item_id"]
    found = pc.is_in(item_ids, value_set=known.combine_chunks())
    return np.asarray(found.to_numpy(), dtype=bool)


def _items_as_of(stage: StageRun, day: date) -> pa.Table:
    return newest_rows_as_of(stage.layout, ITEMS, "item_id", day)


def _items_to_learn(stage: StageRun, vectors: pa.Table) -> pa.Table:
    known = item_table_of(_items_as_of(stage, evening_before(stage)), vectors)
    if not len(known):
        raise DataError(
            "there is no item to learn from",
            where=f"items, as of {evening_before(stage)}",
            expected="items that landed before the day, as its history does",
            found="none",
            next_step="ingest the history again, the catalogue feed with it, if there is one",
        )
    return known


def text_vectors(stage: StageRun) -> pa.Table:
    """Vectors of all texts by the day's encoder: text_hash, vector."""
    encoder = stage.earlier_report("embed_texts")["versions"]["encoder"]
    columns = ("text_hash", "vector")
    return read_arrow(stage.layout, TEXT_EMBEDDINGS, columns=columns, encoder=encoder)


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
