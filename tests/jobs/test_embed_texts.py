"""Each text is embedded once per encoder, in Spark workers, and validated before it is kept."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml
from tests.unit.texts.tiny_decoder import make_decoder

from grove.contracts import Verdict, arrow_schema, load_contract
from grove.datasets import ITEMS, QUERIES, TEXT_EMBEDDINGS, Dataset, Layout
from grove.errors import SettingsError
from grove.runtime.files import read_json
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow, replace_partition
from grove.stages import embed_texts as texts
from grove.texts import worker
from grove.texts.encoder import EncoderSpec, load_encoder
from grove.texts.prompt import item_text, text_hash
from jobs.embed_texts import run

pytestmark = pytest.mark.spark

Embed = Callable[..., None]


def land(layout: Layout, dataset: Dataset, day: date, rows: list[dict[str, Any]]) -> None:
    schema = arrow_schema(load_contract(dataset))
    table = pa.Table.from_pylist([{"day": day, **row} for row in rows], schema=schema)
    replace_partition(table, layout, dataset, {"day": day})


def item(name: str, title: str) -> dict[str, Any]:
    lists = {"category_path": ["Home"], "tags": [], "regions": []}
    return {"item_id": name, "title": title, "first_seen": date(2026, 8, 1), **lists}


def query(text: str) -> dict[str, Any]:
    return {"query": text, "searches": 1, "clicks": 0}


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_decoder(tmp_path_factory.mktemp("decoder"))


@pytest.fixture
def embed(
    spark: object,
    layout: Layout,
    settings_file: Path,
    decoder: Path,
    day: date,
    arguments: Callable[..., Namespace],
    monkeypatch: pytest.MonkeyPatch,
) -> Embed:
    """Run the job with the small decoder, over two items and a search, in Spark workers."""
    monkeypatch.setattr(texts, "TEXTS_WITHOUT_SPARK", 0)
    land(layout, ITEMS, day, [item("i1", "red mug"), item("i2", "blue shoe")])
    land(layout, QUERIES, day, [query("mug")])

    def embed_texts(on: date = day, **changes: Any) -> None:
        settings = yaml.safe_load(settings_file.read_text())
        settings["texts"] = {"encoder": str(decoder), "pooling": "last_token"} | changes
        settings_file.write_text(yaml.safe_dump(settings))
        run(arguments(day=on))

    return embed_texts


def rows_of(layout: Layout) -> list[str]:
    return sorted(map(repr, read_arrow(layout, TEXT_EMBEDDINGS).to_pylist()))


def vectors_by_text(layout: Layout) -> dict[str, list[float]]:
    table = read_arrow(layout, TEXT_EMBEDDINGS)
    return dict(zip(table["text_hash"].to_pylist(), table["vector"].to_pylist(), strict=True))


def report_of(layout: Layout, day: date) -> dict[str, Any]:
    report = read_json(layout.report(day, "embed_texts"))
    assert report is not None
    return report


def test_items_and_queries_get_the_vectors_of_their_texts(
    layout: Layout, embed: Embed, decoder: Path, day: date
) -> None:
    embed()
    wanted = [item_text(title, None, None, ["Home"], []) for title in ("red mug", "blue shoe")]
    wanted.append("mug")
    expected = load_encoder(EncoderSpec(folder=str(decoder), pooling="last_token")).encode(wanted)
    found = vectors_by_text(layout)
    assert set(found) == {text_hash(text) for text in wanted}
    for text, vector in zip(wanted, expected, strict=True):
        np.testing.assert_allclose(found[text_hash(text)], vector, atol=1e-5)
    report = report_of(layout, day)
    assert report["status"] == "committed"
    assert report["rows"]["in"] == report["rows"]["out"] == 3
    [encoder] = set(read_arrow(layout, TEXT_EMBEDDINGS)["encoder"].to_pylist())
    assert report["versions"]["encoder"] == encoder


def test_a_second_run_opens_no_session_and_gives_the_same_rows(
    layout: Layout, embed: Embed, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed()
    first = rows_of(layout)

    def no_session(stage: StageRun) -> None:
        raise AssertionError("a session was opened")

    monkeypatch.setattr(StageRun, "spark", no_session)
    embed()
    assert rows_of(layout) == first
    assert report_of(layout, day)["rows"] == {"in": 3, "out": 0, "rejected": 0}
    assert report_of(layout, day)["status"] == "committed"


def test_few_texts_get_the_same_vectors_without_a_session(
    layout: Layout, embed: Embed, decoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_session(stage: StageRun) -> None:
        raise AssertionError("a session was opened")

    monkeypatch.setattr(texts, "TEXTS_WITHOUT_SPARK", 3)
    monkeypatch.setattr(StageRun, "spark", no_session)
    embed()
    found = vectors_by_text(layout)
    assert len(found) == 3
    encoder = load_encoder(EncoderSpec(folder=str(decoder), pooling="last_token"))
    np.testing.assert_allclose(found[text_hash("mug")], encoder.encode(["mug"])[0], atol=1e-5)


def test_a_later_day_embeds_only_what_is_new(layout: Layout, embed: Embed, day: date) -> None:
    embed()
    first = vectors_by_text(layout)
    later = day + timedelta(days=1)
    land(layout, ITEMS, later, [item("i1", "red mug"), item("i3", "green lamp")])
    land(layout, QUERIES, later, [query("mug"), query("lamp")])
    embed(later)
    found = vectors_by_text(layout)
    assert {text: found[text] for text in first} == first
    assert len(found) == len(first) + 2
    assert report_of(layout, later)["rows"]["out"] == 2


def test_another_encoder_embeds_everything_again_beside_the_old(
    layout: Layout, embed: Embed
) -> None:
    embed()
    embed(prompt="a small ")
    table = read_arrow(layout, TEXT_EMBEDDINGS)
    assert table.num_rows == 6
    assert len(set(table["encoder"].to_pylist())) == 2


def test_spark_writes_what_this_process_would(
    layout: Layout, embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "TEXTS_AT_HAND", 0)
    embed()
    assert len(rows_of(layout)) == 3


def test_a_broken_vector_is_rejected_and_nothing_is_kept(
    layout: Layout, embed: Embed, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_numbers(spec: EncoderSpec, fingerprint: str) -> worker.Batches:
        def break_vectors(batches: worker.Batches) -> worker.Batches:
            for batch in batches:
                vectors = [[float("nan"), 1.0]] * batch.num_rows
                yield pa.record_batch(
                    {
                        "encoder": [fingerprint] * batch.num_rows,
                        "text_hash": batch.column("text_hash"),
                        "vector": pa.array(vectors, pa.list_(pa.float32())),
                    }
                )

        return break_vectors

    monkeypatch.setattr(texts, "embedding_batches", no_numbers)
    embed()
    assert rows_of(layout) == []
    assert report_of(layout, day)["status"] == "refused"
    path = Path(layout.verdict(day, "embed_texts", "text_embeddings"))
    failed = [result.name for result in Verdict.from_json(path.read_text()).failures]
    assert failed == ["vector_norm"]


def test_an_unknown_encoder_is_a_settings_error(embed: Embed) -> None:
    with pytest.raises(SettingsError, match="there is no text encoder"):
        embed(encoder="/no/such/folder")
