"""Whole trainings on a synthetic shop: convergence, repeatability, resumption and updates."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.unit.training.synthetic import (
    DAY,
    OPTIONS,
    histories_of,
    shop_items,
    shop_vocabulary,
    walks,
    write_shop,
)

from grove.features.model_folder import read_model
from grove.features.model_metadata import ModelMetadata, read_metadata
from grove.inference.top_k import top_k
from grove.systems.dssm import encode as dssm
from grove.systems.dssm.train import train_dssm_worker
from grove.systems.stars import encode as stars
from grove.systems.stars.train import train_stars_worker
from grove.training.checkpoint import save_progress
from grove.training.job_spec import TrainingSpec

pytestmark = pytest.mark.slow

ITEMS = shop_items()
ROWS = walks(200, 11, len(ITEMS))
HISTORIES = histories_of([walk[:-1] for walk in ROWS])
ANSWERS = np.array([walk[-1] for walk in ROWS])
TRAINERS = {"dssm": train_dssm_worker, "stars": train_stars_worker}
BRIEF = {**OPTIONS, "epochs": 2}


def train(model: str, spec: TrainingSpec) -> ModelMetadata:
    TRAINERS[model](json.loads(json.dumps(spec.as_json())))
    return read_metadata(spec.output_folder)


def hit_rate(lists: np.ndarray) -> float:
    return float((lists == ANSWERS[:, None]).any(axis=1).mean())


def popularity_lists(k: int) -> np.ndarray:
    rows = np.concatenate([walk[:-1] for walk in ROWS])
    best = np.argsort(-np.bincount(rows, minlength=len(ITEMS)), kind="stable")[:k]
    return np.tile(best, (len(ROWS), 1))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, TrainingSpec]:
    specs = {}
    for model in TRAINERS:
        folder = tmp_path_factory.mktemp(model)
        specs[model] = write_shop(folder, HISTORIES, ITEMS, options={**OPTIONS, "epochs": 8})
        train(model, specs[model])
    return specs


def test_stars_predicts_the_next_item_far_better_than_popularity(trained):
    encoder = stars.load_stars(trained["stars"].output_folder, ITEMS)
    users = encoder.users(HISTORIES)
    items = encoder.item_vectors[1:].numpy()
    baseline = hit_rate(popularity_lists(5))
    assert hit_rate(top_k(users.h_next, items, k=5)) > max(0.7, 3 * baseline)
    assert hit_rate(top_k(users.h_gen, items, k=10)) > 1.5 * hit_rate(popularity_lists(10))


def test_dssm_predicts_the_window_far_better_than_popularity(trained):
    encoder = dssm.load_dssm(trained["dssm"].output_folder, ITEMS)
    lists = top_k(encoder.users(HISTORIES), encoder.item_vectors[1:].numpy(), k=10)
    assert hit_rate(lists) > max(0.7, 2 * hit_rate(popularity_lists(10)))


@pytest.mark.parametrize("model", TRAINERS)
def test_the_loss_falls_and_the_folder_describes_the_training(trained, model):
    metadata = read_metadata(trained[model].output_folder)
    assert metadata.curve[-1] < metadata.curve[0]
    assert len(metadata.curve) == 8
    assert metadata.learned_through == f"{DAY:%Y-%m-%d}"
    assert len(metadata.model_version) == 12


@pytest.mark.parametrize("model", TRAINERS)
def test_a_second_training_gives_the_same_bits_for_any_order_of_rows(tmp_path, model):
    shuffled = HISTORIES.take(np.random.default_rng(1).permutation(len(HISTORIES)))
    versions = {
        train(model, write_shop(tmp_path / str(run), rows, ITEMS, options=BRIEF)).model_version
        for run, rows in enumerate((HISTORIES, HISTORIES, shuffled))
    }
    assert len(versions) == 1
    other = write_shop(tmp_path / "other", HISTORIES, ITEMS, options=BRIEF, seed=1)
    assert train(model, other).model_version not in versions


@pytest.mark.parametrize("model", TRAINERS)
def test_a_checkpoint_of_the_same_work_is_used_up(tmp_path, model):
    spec = write_shop(tmp_path, HISTORIES, ITEMS, options=BRIEF, checkpoint=str(tmp_path / "state"))
    plain = train(model, replace(spec, checkpoint=None))
    assert train(model, spec).model_version == plain.model_version
    assert not Path(spec.checkpoint).exists()


def update_spec(folder: Path, base: TrainingSpec, histories, **changes) -> TrainingSpec:
    """An update of a trained model with histories that continue for a day."""
    described = {
        "warm_start": base.output,
        "learned_through": f"{DAY - timedelta(days=1):%Y-%m-%d}",
        "options": {**OPTIONS, "epochs": 1, "learning_rate": 1e-3},
    }
    return write_shop(folder, histories, ITEMS, **{**described, **changes})


def offsets(spec: TrainingSpec) -> torch.Tensor:
    return read_model(spec.output_folder).weights["items.offsets.weight"]


@pytest.mark.parametrize("model", TRAINERS)
def test_an_update_without_new_events_leaves_the_weights(tmp_path, trained, model):
    spec = update_spec(tmp_path, trained[model], HISTORIES, learned_through=f"{DAY:%Y-%m-%d}")
    train(model, spec)
    before = read_model(trained[model].output_folder).weights
    after = read_model(spec.output_folder).weights
    drift = max(float((before[name] - after[name]).abs().max()) for name in before)
    assert drift < 1e-3  # weight decay alone


@pytest.mark.parametrize("model", TRAINERS)
def test_an_update_never_sees_users_who_are_held_out(tmp_path, trained, model):
    spec = update_spec(tmp_path / "with", trained[model], HISTORIES, holdout_share=0.3)
    kept = [not spec.excluded(user) for user in HISTORIES["user_id"].to_pylist()]
    assert 0 < kept.count(False) < len(kept)
    without = update_spec(tmp_path / "without", trained[model], HISTORIES.filter(kept))
    assert train(model, spec).model_version == train(model, without).model_version
    everyone = update_spec(tmp_path / "all", trained[model], HISTORIES)
    assert train(model, everyone).model_version != train(model, spec).model_version


@pytest.mark.parametrize("model", TRAINERS)
def test_an_update_trains_new_items_and_keeps_the_rows_of_old_ones(tmp_path, trained, model):
    grown = shop_items(len(ITEMS) + 3)
    newest = [[*walk[:-1], len(ITEMS) + number % 2] for number, walk in enumerate(ROWS)]
    vocabulary = read_model(trained[model].output_folder).vocabulary
    spec = write_shop(
        tmp_path,
        histories_of(newest),
        grown,
        vocabulary=vocabulary.grow(grown["item_id"].to_pylist()),
        warm_start=trained[model].output,
        learned_through=f"{DAY - timedelta(days=1):%Y-%m-%d}",
        options={**OPTIONS, "epochs": 2, "learning_rate": 1e-3},
    )
    train(model, spec)
    before, after = offsets(trained[model]), offsets(spec)
    assert len(after) == len(before) + 3
    bought, never_seen = after[-3:-1], after[-1]
    assert (bought.norm(dim=1) > 1e-4).all()
    if model == "dssm":  # in STARS' softmax every item of the table competes
        assert never_seen.norm() == 0


def offsets_after_first_epoch(folder, monkeypatch, share):
    """Offsets of the state that a training of two epochs saves after its first one."""
    options = {**BRIEF, "frozen_offset_share": share}
    spec = write_shop(folder, HISTORIES, ITEMS, options=options, checkpoint=str(folder / "state"))
    found = []

    def watched(checkpoint, model, optimizer, curve):
        found.append(model.state_dict()["items.offsets.weight"].clone())
        save_progress(checkpoint, model, optimizer, curve)

    monkeypatch.setattr("grove.training.loop.save_progress", watched)
    train("stars", spec)
    assert len(found) == BRIEF["epochs"]
    return found


def test_offsets_of_stars_stay_zero_while_they_are_frozen(tmp_path, monkeypatch):
    frozen, trained_after = offsets_after_first_epoch(tmp_path / "half", monkeypatch, 0.5)
    assert frozen.abs().max() == 0  # int(0.5 · 2) = 1 epoch
    assert trained_after.abs().max() > 0
    free, _ = offsets_after_first_epoch(tmp_path / "free", monkeypatch, 0.0)
    assert free.abs().max() > 0


def test_a_new_item_is_ranked_by_its_features(trained):
    """A copy of a known item under a new id is among its nearest items."""
    twin = ITEMS.slice(7, 1).set_column(0, "item_id", pa.array(["item999"]))
    table = pa.concat_tables([ITEMS, twin])
    for name, load in (("dssm", dssm.load_dssm), ("stars", stars.load_stars)):
        vectors = load(trained[name].output_folder, table).item_vectors[1:].numpy()
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        nearest = np.argsort(-unit[:-1] @ unit[-1])[:3]
        assert 7 in nearest


def test_the_vocabulary_is_saved_with_the_weights(trained):
    assert read_model(trained["stars"].output_folder).vocabulary == shop_vocabulary(ITEMS)
