"""train_stars with real workers: two processes that TorchDistributor starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.jobs.shop_day import ITEM_COUNT, land_shop, write_small_settings

from grove.datasets import ITEM_VECTORS, PASSES
from grove.errors import InfrastructureError
from grove.runtime.files import read_json
from grove.runtime.tables import read_arrow
from grove.stages import vector_pass as vectors_pass
from grove.stages.training_pass import training_options
from jobs import train_stars


@pytest.fixture
def shop(layout, day, settings_file, spark):
    write_small_settings(settings_file)
    land_shop(layout, day)
    return layout


def vectors(layout, day, training_pass):
    rows = read_arrow(layout, ITEM_VECTORS, day=day, model="stars", training_pass=training_pass)
    return {row["item_id"]: (row["model_version"], row["vector"]) for row in rows.to_pylist()}


@pytest.mark.spark
@pytest.mark.slow
def test_both_passes_run_on_two_workers_and_repeat_to_the_bit(shop, day, arguments):
    train_stars.run(arguments(training_pass="candidate"))
    train_stars.run(arguments(training_pass="update"))
    candidate, update = (vectors(shop, day, name) for name in ("candidate", "update"))
    train_stars.run(arguments(training_pass="update"))
    assert vectors(shop, day, "update") == update
    assert len(candidate) == len(update) == ITEM_COUNT
    assert candidate != update
    written = read_json(shop.report(day, "train_stars.update"))
    assert written["status"] == "committed"
    assert written["notes"]["trained"] is True
    assert written["notes"]["held_out"]["users"] > 5


@pytest.mark.spark
@pytest.mark.slow
def test_a_worker_that_fails_is_an_infrastructure_error_and_leaves_the_inputs_to_resume(
    shop, day, arguments, monkeypatch
):
    # Settings reject a width its heads do not divide, so only a worker can receive one.
    monkeypatch.setattr(
        vectors_pass, "training_options", lambda section, _: section.model_dump() | {"width": 15}
    )
    with pytest.raises(InfrastructureError, match="a training worker failed"):
        train_stars.run(arguments(training_pass="candidate"))
    assert vectors(shop, day, "candidate") == {}
    assert read_json(shop.report(day, "train_stars"))["status"] == "failed"
    assert Path(shop.staging("train_stars", day), "inputs").is_dir()


def test_options_of_an_update_are_its_own(settings):
    section = settings.stars
    fresh, update = (training_options(section, name) for name in PASSES)
    assert update["epochs"] == section.update_epochs
    assert update["learning_rate"] == section.update_learning_rate
    assert {key for key in fresh if fresh[key] != update[key]} == {"epochs", "learning_rate"}
