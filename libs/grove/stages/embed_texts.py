"""Text vectors of a day: only texts that this encoder has not embedded yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
from pyspark.sql import DataFrame

from grove.contracts import arrow_schema, load_contract
from grove.datasets import QUERIES, TEXT_EMBEDDINGS, Layout
from grove.quality.invariants import every_text_embedded
from grove.runtime.conform import Frame
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import insert_missing, partition_days, read_arrow
from grove.settings.sections import TextSettings
from grove.stages.model_inputs import day_before, items_as_of
from grove.texts.encoder import EncoderSpec, encoder_folder
from grove.texts.fingerprint import encoder_fingerprint
from grove.texts.prompt import item_texts, query_text, texts_by_hash
from grove.texts.worker import embedding_batches

EMBEDDING_SCHEMA = "encoder string, text_hash string, vector array<float>"
TEXTS_WITHOUT_SPARK = 256
"""Up to this many texts are embedded by this process: starting a session and its workers, each of
which loads a model, takes longer than embedding the texts of an ordinary day."""
TEXTS_AT_HAND = 50_000
"""The vectors of up to this many texts are validated and written by this process, not by Spark,
whose gate and commit would take longer than embedding the new texts of an ordinary day."""


def embed_texts(run: StageRun) -> None:
    """Embed unseen texts, validate and insert them; a day without any opens no Spark session."""
    spec = encoder_spec(run.settings.texts)
    encoder = encoder_fingerprint(spec)
    run.report.version("encoder", encoder)
    texts = day_texts(run.layout, run.day)
    unseen = unseen_texts(run.layout, texts, encoder)
    vectors = _embed(run, unseen, spec, encoder)
    checks = [every_text_embedded(count_rows(vectors), unseen=len(unseen))]
    verdict = run.validate(TEXT_EMBEDDINGS, vectors, checks)
    run.report.rows(in_=len(texts), out=len(unseen))
    if run.record(verdict):
        key, partition = ("text_hash",), {"encoder": encoder}
        insert_missing(vectors, run.layout, TEXT_EMBEDDINGS, key, partition)


def encoder_spec(settings: TextSettings) -> EncoderSpec:
    """The encoder of some settings, with its folder on this machine."""
    values = settings.model_dump()
    return EncoderSpec(folder=encoder_folder(values.pop("encoder")), **values)


def day_texts(layout: Layout, day: date) -> dict[str, str]:
    """Every text a model of a day may read, by hash: items, and searches up to the day.

    Items count as of D, and as of D−1, when a title may have been another one: a candidate is
    trained on these, and a shop without a catalogue is evaluated on them.
    """
    items = [items_as_of(layout, as_of) for as_of in (day_before(day), day)]
    days = [one for one in partition_days(layout, QUERIES) if one <= day]
    queries = read_arrow(layout, QUERIES, columns=["query"], day=days)["query"]
    texts = [text for version in items for text in item_texts(version)]
    return texts_by_hash([*texts, *map(query_text, queries.unique().to_pylist())])


def unseen_texts(layout: Layout, texts: Mapping[str, str], encoder: str) -> dict[str, str]:
    """The texts that have no vector of this encoder yet."""
    known = read_arrow(layout, TEXT_EMBEDDINGS, columns=["text_hash"], encoder=encoder)
    seen = set(known["text_hash"].to_pylist())
    return {key: text for key, text in texts.items() if key not in seen}


def count_rows(frame: Frame) -> int:
    """Rows of a frame, whichever engine holds it."""
    return frame.count() if isinstance(frame, DataFrame) else frame.num_rows


def _embed(run: StageRun, texts: Mapping[str, str], spec: EncoderSpec, encoder: str) -> Frame:
    """Embed texts in Spark workers, one model each; few texts open no session.

    It holds the run because whether a session is opened depends on the number of texts.

    Args:
        run: of the stage.
        texts: text by hash.
        spec: the encoder; its folder must exist on every worker.
        encoder: its fingerprint.

    Returns:
        Rows of `text_embeddings`: an Arrow table where they are few, else persisted in Spark.
    """
    if not texts:
        return arrow_schema(load_contract(TEXT_EMBEDDINGS)).empty_table()
    rows = pa.table({"text_hash": list(texts), "text": list(texts.values())})
    worker = embedding_batches(spec, encoder)
    if len(texts) <= TEXTS_WITHOUT_SPARK:
        return pa.Table.from_batches(worker(iter(rows.to_batches())))
    partitions = run.settings.spark.embed_partitions
    spread = run.spark().createDataFrame(rows).repartition(partitions, "text_hash")
    embedded = spread.mapInArrow(worker, EMBEDDING_SCHEMA)
    return embedded.toArrow() if len(texts) <= TEXTS_AT_HAND else run.persist(embedded)
