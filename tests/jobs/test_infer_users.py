"""infer_users: each user once, equal rows on a rerun, and old rows stay after a rejection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.jobs.shop_day import (
    SMALL,
    land_histories,
    land_shop,
    report,
    report_weights,
    write_small_settings,
)

from grove.contracts import Verdict
from grove.datasets import HISTORIES, USER_EMBEDDINGS
from grove.errors import DataError
from grove.features.items import item_attributes
from grove.features.model_folder import save_model
from grove.features.model_metadata import ModelMetadata
from grove.features.vocabulary import Vocabulary
from grove.runtime.files import read_json
from grove.runtime.tables import read_arrow
from grove.stages import infer_users as users_module
from grove.stages.model_inputs import day_item_table
from grove.systems.stars.encode import load_stars
from grove.systems.stars.network import Stars
from jobs import infer_users

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture
def shop(layout, day, settings_file, arguments, tmp_path, spark):
    write_small_settings(settings_file)
    land_shop(layout, day)
    item_table = day_item_table(layout, day)
    save_untrained(tmp_path / "stars", item_table)
    pq.write_table(item_table, tmp_path / "items.parquet")
    report_weights(layout, day, "train_stars.update", tmp_path / "stars")
    return layout


def save_untrained(folder: Path, item_table: pa.Table) -> None:
    names = [name for names in item_attributes(item_table) for name in names]
    vocabulary = Vocabulary.of_events(event_types=("click",)).grow(
        item_table["item_id"].to_pylist(), names
    )
    fields = ("items", "attributes", "event_types", "regions", "devices", "weathers", "promotions")
    arguments = {
        **{name: SMALL[name] for name in ("width", "layers", "heads", "dropout")},
        "text_width": 8,
        "rows": {field: vocabulary.rows(field) for field in fields} | {"positions": 20},
    }
    metadata = ModelMetadata(arguments=arguments, max_events=20)
    save_model(folder, Stars(**arguments), vocabulary, metadata)


def embeddings(layout, day):
    rows = read_arrow(layout, USER_EMBEDDINGS, day=day).to_pylist()
    return {row["user_id"]: row for row in rows}


def test_every_user_has_the_vectors_one_process_would_compute(shop, day, arguments, tmp_path):
    infer_users.run(arguments())
    found = embeddings(shop, day)
    histories = read_arrow(shop, HISTORIES, day=day, cut="through").sort_by("user_id")
    assert sorted(found) == histories["user_id"].to_pylist()
    items = pq.read_table(tmp_path / "items.parquet")
    expected = load_stars(tmp_path / "stars", items).users(histories)
    rows = [found[user] for user in sorted(found)]
    assert np.allclose([row["h_gen"] for row in rows], expected.h_gen, atol=1e-5)
    assert np.allclose([row["h_next"] for row in rows], expected.h_next, atol=1e-5)
    version = read_json(tmp_path / "stars" / "model.json")["model_version"]
    assert {row["model_version"] for row in rows} == {version}
    written = read_json(shop.report(day, "infer_users"))
    assert written["rows"] == {"in": 60, "out": 60, "rejected": 0}
    infer_users.run(arguments())
    assert embeddings(shop, day) == found


def test_a_lost_user_rejects_the_day_and_leaves_the_old_rows(shop, day, arguments, monkeypatch):
    infer_users.run(arguments())
    before = embeddings(shop, day)
    land_histories(shop, day, users=61)
    encode = users_module.embed_users
    monkeypatch.setattr(
        users_module,
        "embed_users",
        lambda histories, *inputs, **options: encode(histories.limit(50), *inputs, **options),
    )
    infer_users.run(arguments())
    assert embeddings(shop, day) == before
    verdict = Verdict.from_json(
        Path(shop.verdict(day, "infer_users", "user_embeddings")).read_text()
    )
    assert {result.name for result in verdict.failures} == {"every_user_encoded"}


def test_without_the_update_the_error_names_the_job_to_run(shop, day, arguments):
    report(shop, day, "train_stars.update", status="refused")
    with pytest.raises(DataError, match=r"train_stars\.update has no output"):
        infer_users.run(arguments())
