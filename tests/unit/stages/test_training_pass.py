"""Weights of a pass: the options of a training, and what a pass reports."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pytest

from grove.features.model_metadata import ModelMetadata, write_metadata
from grove.settings import Settings
from grove.settings.models import StarsSettings
from grove.stages.training_pass import PassWeights, training_options


def test_an_update_has_epochs_and_a_rate_of_its_own():
    section = StarsSettings(
        epochs=9, learning_rate=0.1, update_epochs=3, update_learning_rate=0.001
    )
    candidate, update = (training_options(section, name) for name in ("candidate", "update"))
    assert candidate == section.model_dump()
    changed = {name for name, value in update.items() if candidate[name] != value}
    assert changed == {"epochs", "learning_rate"}
    assert (update["epochs"], update["learning_rate"]) == (3, 0.001)


@pytest.mark.parametrize("system", ["dssm", "treebridge", "stars"])
def test_a_candidate_is_trained_with_every_setting_of_its_section(system):
    section = getattr(Settings(home="/data/shop"), system)
    assert training_options(section, "candidate") == section.model_dump()


def weights(folder: Path, *, trained: bool, curve: list[float]) -> PassWeights:
    metadata = ModelMetadata(
        curve=curve, model_version="abcdef012345", learned_through="2026-08-19"
    )
    write_metadata(folder, metadata)
    return PassWeights(folder=folder, item_table=pa.table({}), before=None, trained=trained)


def test_reused_weights_report_no_curve_and_have_no_losses_to_check(tmp_path):
    reused = weights(tmp_path, trained=False, curve=[2.0, 1.0])
    assert reused.report.curve == ()
    assert not reused.report.trained
    assert reused.report.model_version == "abcdef012345"
    assert reused.report.learned_through == "2026-08-19"
    assert reused.loss_checks() == []


@pytest.mark.parametrize(
    ("curve", "passed"), [([2.0, 1.0], True), ([2.0, math.nan], False), ([math.inf], False)]
)
def test_losses_of_a_trained_pass_must_be_finite(tmp_path, curve, passed):
    trained = weights(tmp_path, trained=True, curve=curve)
    finite, learned = trained.loss_checks()
    assert (finite.name, finite.severity, finite.passed) == ("finite_losses", "fail", passed)
    assert (learned.name, learned.severity) == ("something_learned", "warn")
    assert len(trained.report.curve) == len(curve)
