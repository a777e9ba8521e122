"""A home that earlier code left: its release, reports and table serve the next day as they are."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import pytest
from tests.jobs.shop_day import ITEM_COUNT, land_shop, write_small_settings

from grove.datasets import ITEM_VECTORS
from grove.features.model_folder import read_trained_items
from grove.features.model_metadata import read_metadata
from grove.runtime.files import read_json, write_json
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.stages import training_pass
from jobs import train_dssm

EARLIER_KEYS = (
    "arguments",
    "curve",
    "learned_through",
    "max_events",
    "options",
    "precision",
    "model_version",
)
"""What `model.json` held before it recorded seed, versions, workers and data days."""
EARLIER_OPTIONS = (
    "width",
    "dropout",
    "epochs",
    "update_epochs",
    "batch_size",
    "learning_rate",
    "update_learning_rate",
    "max_drift",
)
"""Options of DSSM before its constants became settings."""
EARLIER_NOTES = ("model_version", "learned_through", "curve", "trained")


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr(training_pass, "run_workers", lambda train, spec, *_: train(spec))
    monkeypatch.setattr(StageRun, "spark", MagicMock())


def as_earlier_code_wrote_it(made: Path, folder: Path) -> None:
    """Copy a model folder into the form that earlier code gave it."""
    shutil.copytree(made, folder)
    (folder / "trained_items.parquet").rename(folder / "taken_items.parquet")
    values = read_json(str(folder / "model.json"))
    earlier = {key: values[key] for key in EARLIER_KEYS}
    earlier["options"] = {key: values["options"][key] for key in EARLIER_OPTIONS}
    (folder / "model.json").write_text(json.dumps(earlier, indent=1), encoding="utf-8")


def vectors(layout, day, name: str) -> np.ndarray:
    rows = read_arrow(layout, ITEM_VECTORS, day=day, model="dssm", training_pass=name)
    return np.array(rows.sort_by("item_id")["vector"].to_pylist())


@pytest.fixture
def earlier_home(layout, day, settings_file, arguments):
    """A release of the day before, in the form of earlier code; its home and model folder."""
    yesterday = day - timedelta(days=1)
    write_small_settings(settings_file)
    land_shop(layout, yesterday)
    train_dssm.run(arguments(day=yesterday, training_pass="candidate"))
    train_dssm.run(arguments(day=yesterday, training_pass="update"))
    for stage in ("train_dssm", "train_dssm.update"):
        report = read_json(layout.report(yesterday, stage))
        report["notes"] = {key: report["notes"][key] for key in EARLIER_NOTES}
        write_json(layout.report(yesterday, stage), report)
    made = Path(read_json(layout.report(yesterday, "train_dssm.update"))["artifact"])
    release = Path(layout.releases(), f"{yesterday}.1", "models", "dssm")
    as_earlier_code_wrote_it(made, release)
    land_shop(layout, day, release=f"{yesterday}.1")
    return release


def test_the_next_day_starts_from_weights_of_earlier_code(earlier_home, layout, day, arguments):
    train_dssm.run(arguments(training_pass="candidate"))
    published = vectors(layout, day - timedelta(days=1), "update")
    assert np.array_equal(vectors(layout, day, "candidate"), published)
    train_dssm.run(arguments(training_pass="update"))
    written = read_json(layout.report(day, "train_dssm.update"))
    assert (written["status"], written["notes"]["trained"]) == ("committed", True)
    assert vectors(layout, day, "update").shape[0] == ITEM_COUNT
    folder = Path(written["artifact"])
    before = read_trained_items(earlier_home).to_pylist()
    assert before
    assert set(before) <= set(read_trained_items(folder).to_pylist())
    assert read_metadata(folder).seed is not None


def test_metadata_of_earlier_code_has_defaults_for_what_it_did_not_record(earlier_home):
    metadata = read_metadata(earlier_home)
    assert metadata.model_version == read_json(str(earlier_home / "model.json"))["model_version"]
    assert (metadata.seed, metadata.torch_version, metadata.workers) == (None, "", None)
