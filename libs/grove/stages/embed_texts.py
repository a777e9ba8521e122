"""What `embed_texts` reads, runs and checks: only text this encoder never saw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pyarrow as pa
from pyspark.sql import DataFrame

from grove.contracts import arrow_schema, load_contract
from grove.datasets import ITEMS, QUERIES, TEXT_EMBEDDINGS
from grove.runtime.conform import Frame
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import newest_rows_as_of, partition_days, read_arrow
from grove.texts.encoder import EncoderSpec
from grove.texts.prompt import item_texts, query_text, texts_by_hash
from grove.texts.worker import embedding_batches

EMBEDDING_SCHEMA = "encoder string, text_hash string, vector array<float>"
TEXTS_WITHOUT_SPARK = 256
"""At most so many texts are embedded by this process: a session and its workers, each with a model
of its own to load, take longer than the texts of an ordinary day."""
TEXTS_AT_HAND = 50_000
"""The vectors of at most so many texts are judged and written by this process, not by Spark,
whose gate and commit would take longer than the embedding of a usual day's new texts."""


def day_texts(stage: StageRun) -> dict[str, str]:
    """Every text a model of this day may read, by hash: items, and searches up to D.

    Items count as of D, and as of the evening before, when a title may have been another one: that
    is what a candidate learns from, and what a shop without a catalogue is judged on.
    """
    as_of = (stage.day - timedelta(days=1), stage.day)
    items = [newest_rows_as_of(stage.layout, ITEMS, "item_id", day) for day in as_of]
    days = [day for day in partition_days(stage.layout, QUERIES) if day <= stage.day]
    queries = read_arrow(stage.layout, QUERIES, columns=["query"], day=days)["query"]
    texts = [text for version in items for text in item_texts(version)]
    return texts_by_hash([*texts, *map(query_text, queries.unique().to_pylist())])


def unseen_texts(stage: StageRun, texts: Mapping[str, str], encoder: str) -> dict[str, str]:
    """The texts that have no vector of this encoder yet."""
    known = read_arrow(stage.layout, TEXT_EMBEDDINGS, columns=["text_hash"], encoder=encoder)
    seen = set(known["text_hash"].to_pylist())
    return {key: text for key, text in texts.items() if key not in seen}


def embed(stage: StageRun, texts: Mapping[str, str], spec: EncoderSpec, encoder: str) -> Frame:
    """Embed texts in Spark workers, one model each; few texts open no session.

    Args:
        stage: of the day.
        texts: hash → text.
        spec: the encoder; its folder must exist on every worker.
        encoder: its fingerprint.

    Returns:
        Rows of `text_embeddings`: an Arrow table where they are few, else kept aside in Spark.
    """
    if not texts:
        return arrow_schema(load_contract(TEXT_EMBEDDINGS)).empty_table()
    rows = pa.table({"text_hash": list(texts), "text": list(texts.values())})
    worker = embedding_batches(spec, encoder)
    if len(texts) <= TEXTS_WITHOUT_SPARK:
        return pa.Table.from_batches(worker(iter(rows.to_batches())))
    spread = (
        stage.spark()
        .createDataFrame(rows)
        .repartition(stage.settings.spark.embed_partitions, "text_hash")
    )
    embedded = spread.mapInArrow(worker, EMBEDDING_SCHEMA)
    return embedded.toArrow() if len(texts) <= TEXTS_AT_HAND else stage.persist(embedded)


def count_rows(frame: Frame) -> int:
    """Rows of a frame, whichever engine holds it."""
    return frame.count() if isinstance(frame, DataFrame) else frame.num_rows
