"""train_dssm: candidate and update, once and twice, on a retrain day and an ordinary one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from tests.jobs.shop_day import (
    ITEM_COUNT,
    land_items,
    land_shop,
    land_text_vectors,
    report,
    write_small_settings,
)

from grove.contracts import Verdict
from grove.datasets import ITEM_VECTORS
from grove.errors import DataError
from grove.runtime.files import read_json
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.stages import training_pass as learning
from jobs import train_dssm


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """Train in this process; that real workers agree is tested with STARS and in tests/unit."""

    def run_workers(train, spec, settings, spark):
        train(spec)

    monkeypatch.setattr(learning, "run_workers", run_workers)
    monkeypatch.setattr(StageRun, "spark", MagicMock())


@pytest.fixture
def shop(layout, day, settings_file):
    write_small_settings(settings_file)
    land_shop(layout, day)
    return layout


def vectors(layout, day, training_pass):
    rows = read_arrow(layout, ITEM_VECTORS, day=day, model="dssm", training_pass=training_pass)
    return {row["item_id"]: row for row in rows.to_pylist()}


def verdict(layout, day, stage):
    return Verdict.from_json(Path(layout.verdict(day, stage, "item_vectors")).read_text())


def test_a_retrain_day_trains_and_gives_every_item_a_unit_vector(shop, day, arguments):
    train_dssm.run(arguments(training_pass="candidate"))
    rows = vectors(shop, day, "candidate")
    assert sorted(rows) == [f"item{number:03d}" for number in range(ITEM_COUNT)]
    matrix = np.array([row["vector"] for row in rows.values()])
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-4)
    written = read_json(shop.report(day, "train_dssm"))
    assert written["status"] == "committed"
    assert written["rows"] == {"in": 60, "out": ITEM_COUNT, "rejected": 0}
    assert written["notes"]["trained"] is True
    assert len(written["notes"]["curve"]) == 2
    assert written["notes"]["learned_through"] == str(day - timedelta(days=1))
    assert {row["model_version"] for row in rows.values()} == {written["notes"]["model_version"]}
    assert (Path(written["artifact"]) / "weights.safetensors").is_file()
    assert not Path(shop.staging("train_dssm", day)).exists()


def test_a_second_run_gives_the_same_rows(shop, day, arguments):
    train_dssm.run(arguments(training_pass="candidate"))
    first = vectors(shop, day, "candidate")
    train_dssm.run(arguments(training_pass="candidate"))
    assert vectors(shop, day, "candidate") == first


def test_an_update_continues_from_the_candidate_and_is_evaluated_on_held_out_users(
    shop, day, arguments
):
    train_dssm.run(arguments(training_pass="candidate"))
    train_dssm.run(arguments(training_pass="update"))
    candidate, update = (vectors(shop, day, name) for name in ("candidate", "update"))
    assert candidate.keys() == update.keys()
    assert candidate["item000"]["vector"] != update["item000"]["vector"]
    written = read_json(shop.report(day, "train_dssm.update"))
    assert written["notes"]["learned_through"] == str(day)
    assert 0 < written["notes"]["drift"] < 0.5
    assert written["notes"]["held_out"]["users"] > 5
    names = {result.name for result in verdict(shop, day, "train_dssm.update").results}
    assert {
        "vector_drift",
        "update_not_worse",
        "finite_losses",
        "vector_finite_unit_vectors",
    } <= names


def test_an_ordinary_day_encodes_new_items_with_the_earlier_weights(
    shop, day, arguments, monkeypatch
):
    train_dssm.run(arguments(training_pass="candidate"))
    earlier = read_json(shop.report(day, "train_dssm"))
    release = Path(shop.releases(), f"{day}.1", "models", "dssm")
    release.parent.mkdir(parents=True)
    release.symlink_to(earlier["artifact"])
    tomorrow = day + timedelta(days=1)
    land_shop(shop, tomorrow, release=f"{day}.1")
    land_items(shop, tomorrow, 0, ITEM_COUNT + 2)
    monkeypatch.setattr(learning, "prepare_inputs", lambda *_, **__: pytest.fail("reads histories"))
    train_dssm.run(arguments(day=tomorrow, training_pass="candidate"))
    rows = vectors(shop, tomorrow, "candidate")
    assert len(rows) == ITEM_COUNT + 2
    written = read_json(shop.report(tomorrow, "train_dssm"))
    assert written["artifact"] == str(release)
    assert written["rows"] == {"in": ITEM_COUNT + 2, "out": ITEM_COUNT + 2, "rejected": 0}
    assert written["notes"]["trained"] is False
    assert written["notes"]["curve"] == []
    assert written["notes"]["model_version"] == earlier["notes"]["model_version"]


def test_an_update_that_drifts_too_far_leaves_the_old_vectors(shop, day, arguments, settings_file):
    train_dssm.run(arguments(training_pass="candidate"))
    train_dssm.run(arguments(training_pass="update"))
    before = vectors(shop, day, "update")
    write_small_settings(settings_file, dssm={"max_drift": 1e-9, "update_learning_rate": 0.1})
    train_dssm.run(arguments(training_pass="update"))
    assert vectors(shop, day, "update") == before
    assert read_json(shop.report(day, "train_dssm.update"))["status"] == "refused"
    failed = verdict(shop, day, "train_dssm.update").failures
    assert "vector_drift" in {result.name for result in failed}


def test_an_item_without_a_text_vector_fails_and_leaves_the_old_vectors(shop, day, arguments):
    train_dssm.run(arguments(training_pass="candidate"))
    before = vectors(shop, day, "candidate")
    land_text_vectors(shop, ["another text"])
    with pytest.raises(DataError, match="items without a text vector"):
        train_dssm.run(arguments(training_pass="candidate"))
    assert vectors(shop, day, "candidate") == before


def test_an_update_without_its_candidate_is_an_error(shop, day, arguments):
    with pytest.raises(DataError, match="train_dssm has no output"):
        train_dssm.run(arguments(training_pass="update"))


def test_a_rejected_candidate_is_not_updated(shop, day, arguments):
    report(shop, day, "train_dssm", status="refused")
    with pytest.raises(DataError, match="status refused"):
        train_dssm.run(arguments(training_pass="update"))


def test_the_pass_is_an_argument(settings_file, day):
    command = ["--day", str(day), "--settings", str(settings_file), "--pass", "update"]
    assert train_dssm.parse_arguments(command).training_pass == "update"
    assert train_dssm.parse_arguments(command[:4]).training_pass == "candidate"
