"""Retrievers learn, repeat themselves bit by bit, and warm-start."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
import torch
from tests.unit.training import synthetic

from grove.baselines.retriever.encode import load_retriever
from grove.baselines.retriever.network import ADAPTERS
from grove.baselines.retriever.train import train_retriever_worker
from grove.features.model_folder import read_model
from grove.features.model_metadata import read_metadata
from grove.inference.top_k import top_k

pytestmark = pytest.mark.slow

ITEMS = synthetic.shop_items(40)
ROWS = synthetic.walks(96, 11, len(ITEMS))
HISTORIES = synthetic.histories_of([walk[:-1] for walk in ROWS])
ANSWERS = np.array([walk[-1] for walk in ROWS])
OPTIONS = {
    "width": 16,
    "layers": 1,
    "heads": 2,
    "dropout": 0.0,
    "epochs": 15,
    "batch_size": 16,
    "learning_rate": 1e-2,
}


def shop(folder, adapter, histories=HISTORIES, items=ITEMS, **changes):
    options = {**OPTIONS, "adapter": adapter, **changes.pop("options", {})}
    return synthetic.write_shop(folder, histories, items, options=options, **changes)


def hit_rate(lists):
    return float((lists == ANSWERS[:, None]).any(axis=1).mean())


def recommend(folder, k):
    encoder = load_retriever(folder, ITEMS)
    return top_k(encoder.users(HISTORIES), encoder.item_vectors[1:].numpy(), k=k)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    specs = {adapter: shop(tmp_path_factory.mktemp(adapter), adapter) for adapter in ADAPTERS}
    for spec in specs.values():
        train_retriever_worker(spec.as_json())
    return specs


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_it_learns_the_transitions(trained, adapter):
    spec = trained[adapter]
    curve = read_metadata(spec.output_folder).curve
    assert len(curve) == OPTIONS["epochs"]
    assert curve[-1] < 0.6 * curve[0]
    assert hit_rate(recommend(spec.output_folder, 5)) > 0.6  # by chance 0.125


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_folder_holds_the_arguments_of_the_network(trained, adapter):
    arguments = read_metadata(trained[adapter].output_folder).arguments
    assert arguments["adapter"] == adapter
    assert arguments["encoder"] == {
        name: OPTIONS[name] for name in ("width", "layers", "heads", "dropout")
    }
    assert arguments["text_width"] == 12


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_same_input_gives_the_same_bits(tmp_path, adapter):
    brief = {"epochs": 2}
    versions = []
    for run, seed in enumerate((0, 0, 1)):
        spec = shop(tmp_path / str(run), adapter, options=brief, seed=seed)
        train_retriever_worker(spec.as_json())
        versions.append(read_metadata(spec.output_folder).model_version)
    assert versions[0] == versions[1] != versions[2]


def update(folder, base, histories=HISTORIES, items=ITEMS, **changes):
    described = {
        "warm_start": base.output,
        "learned_through": base.through,
        "options": {"epochs": 1},
    }
    adapter = changes.pop("adapter", base.options["adapter"])
    spec = shop(folder, adapter, histories, items, **{**described, **changes})
    train_retriever_worker(spec.as_json())
    return spec


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_warm_start_without_new_events_all_but_keeps_the_weights(trained, tmp_path, adapter):
    spec = update(tmp_path, trained[adapter])
    before, after = read_model(trained[adapter].output_folder), read_model(spec.output_folder)
    for name, value in before.weights.items():
        assert torch.allclose(value, after.weights[name], rtol=1e-3), name  # weight decay


def test_a_warm_start_keeps_its_adapter_under_other_settings(trained, tmp_path):
    spec = update(tmp_path, trained["linear"], adapter="fused")
    assert read_metadata(spec.output_folder).arguments["adapter"] == "linear"


def test_a_warm_start_trains_new_items_and_keeps_the_rows_of_old_ones(trained, tmp_path):
    base = trained["fused"]
    grown = synthetic.shop_items(len(ITEMS) + 3)
    newest = [[*walk[:-1], len(ITEMS) + number % 2] for number, walk in enumerate(ROWS)]
    vocabulary = read_model(base.output_folder).vocabulary
    spec = update(
        tmp_path,
        base,
        synthetic.histories_of(newest),
        grown,
        learned_through=f"{synthetic.DAY - timedelta(days=1):%Y-%m-%d}",
        vocabulary=vocabulary.grow(grown["item_id"].to_pylist()),
    )
    before, after = (
        read_model(folder).weights["items.offsets.weight"]
        for folder in (base.output_folder, spec.output_folder)
    )
    assert len(after) == len(before) + 3
    assert (after[-3:-1].norm(dim=1) > 1e-4).all()
    assert (after[0] == 0).all()
    assert torch.equal(after[1], before[1])  # the unknown id never adds anything


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_new_item_is_ranked_next_to_a_known_item_of_equal_text(trained, adapter):
    """The text of a known item, under an id without training interactions."""
    twin = ITEMS.slice(7, 1).set_column(0, "item_id", pa.array(["item999"]))
    encoder = load_retriever(trained[adapter].output_folder, pa.concat_tables([ITEMS, twin]))
    vectors = encoder.item_vectors[1:].numpy()
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = np.argsort(-unit[:-1] @ unit[-1])[:3]
    assert 7 in nearest
