"""The function a Spark worker runs gives the rows of `text_embeddings`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.contracts import arrow_schema, load_contract
from grove.datasets import TEXT_EMBEDDINGS
from grove.texts.encoder import EncoderSpec, load_encoder
from grove.texts.prompt import text_hash
from grove.texts.worker import embedding_batches


def test_every_text_gets_its_vector(decoder_folder: Path) -> None:
    spec = EncoderSpec(folder=str(decoder_folder))
    texts = ["red mug", "shoe", "a small lamp"]
    batch = pa.record_batch({"text_hash": [text_hash(text) for text in texts], "text": texts})
    batches = [batch.slice(0, 2), batch.slice(2), batch.slice(0, 0)]
    table = pa.Table.from_batches(list(embedding_batches(spec, "f" * 16)(iter(batches))))
    assert table.column("encoder").to_pylist() == ["f" * 16] * 3
    assert table.column("text_hash").to_pylist() == batch.column("text_hash").to_pylist()
    expected = load_encoder(spec).encode(texts)
    np.testing.assert_allclose(table.column("vector").to_pylist(), expected, atol=1e-5)


def test_a_worker_works_at_the_precision_of_its_encoder(decoder_folder: Path) -> None:
    texts = ["red mug", "shoe for a small lamp"]
    batch = pa.record_batch({"text_hash": [text_hash(text) for text in texts], "text": texts})
    found = {}
    for precision in ("fp32", "bf16", "int8"):
        spec = EncoderSpec(folder=str(decoder_folder), precision=precision)
        [result] = embedding_batches(spec, "f" * 16)(iter([batch]))
        found[precision] = np.array(result.column("vector").to_pylist())
        np.testing.assert_allclose(found[precision], load_encoder(spec).encode(texts), atol=1e-5)
    assert np.abs(found["bf16"] - found["fp32"]).max() > 1e-5
    assert np.abs(found["int8"] - found["fp32"]).max() > 1e-5


def test_columns_are_those_of_the_table(decoder_folder: Path) -> None:
    spec = EncoderSpec(folder=str(decoder_folder))
    batch = pa.record_batch({"text_hash": [text_hash("mug")], "text": ["mug"]})
    [result] = embedding_batches(spec, "f" * 16)(iter([batch]))
    schema = arrow_schema(load_contract(TEXT_EMBEDDINGS))
    assert result.schema.names == schema.names
    assert pa.Table.from_batches([result]).cast(schema).num_rows == 1


def test_without_batches_no_model_is_loaded() -> None:
    spec = EncoderSpec(folder="/no/such/folder")
    assert list(embedding_batches(spec, "f" * 16)(iter([]))) == []
