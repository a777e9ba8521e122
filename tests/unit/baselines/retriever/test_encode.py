"""Encoding with a trained retriever: order, batches, new items, and trained weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.training.synthetic import OPTIONS, histories_of, shop_items, walks, write_shop

from grove.baselines.retriever import network as models_retriever
from grove.baselines.retriever.encode import load_retriever
from grove.baselines.retriever.network import ADAPTERS
from grove.baselines.retriever.train import train_retriever_worker
from grove.errors import DataError
from grove.features.items import text_matrix
from grove.inference import load as loaded

ITEMS = shop_items(20)
HISTORIES = histories_of(walks(30, 6, 20))
TEXT_WIDTH = 12


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    found = {}
    for adapter in ADAPTERS:
        options = {**OPTIONS, "epochs": 1, "adapter": adapter}
        spec = write_shop(tmp_path_factory.mktemp(adapter), HISTORIES, ITEMS, options=options)
        train_retriever_worker(spec.as_json())
        found[adapter] = spec.output_folder
    return found


def output_width(adapter):
    return TEXT_WIDTH if adapter == "frozen" else OPTIONS["width"]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_users_vector_does_not_depend_on_other_users_or_order(folders, monkeypatch, adapter):
    encoder = load_retriever(folders[adapter], ITEMS)
    together = encoder.users(HISTORIES)
    assert together.dtype == np.float32
    assert together.shape == (30, output_width(adapter))
    order = np.random.default_rng(0).permutation(len(HISTORIES))
    monkeypatch.setattr(loaded, "USERS_PER_BATCH", 7)
    assert np.allclose(together[order], encoder.users(HISTORIES.take(order)), atol=1e-5)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_user_is_the_state_after_the_last_event(folders, adapter):
    encoder = load_retriever(folders[adapter], ITEMS)
    histories = histories_of([[0, 1, 2, 3, 4], [5, 6]])
    batch = encoder.inputs.encoder.encode(histories).batch(np.arange(2))
    with torch.inference_mode():
        states = encoder.model(batch, encoder.item_vectors[batch.item_rows]).numpy()
    expected = np.stack([states[0, 4], states[1, 1]])
    assert np.allclose(encoder.users(histories), expected, atol=1e-5)


def test_frozen_items_are_their_text_vectors(folders):
    vectors = load_retriever(folders["frozen"], ITEMS).item_vectors
    assert np.array_equal(vectors[1:].numpy(), text_matrix(ITEMS))
    assert not vectors[0].any()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_new_items_need_no_training(folders, adapter):
    """A history and a catalogue with items the model never saw are encoded like any other."""
    encoder = load_retriever(folders[adapter], shop_items(23))
    users = encoder.users(histories_of([[0, 21, 22], [22]]))
    items = encoder.item_vectors[1:].numpy()
    assert np.isfinite(users).all()
    assert items.shape == (23, output_width(adapter))
    assert len({tuple(row) for row in items.round(4).tolist()}) == 23


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_item_missing_from_the_table_is_no_error(folders, adapter):
    users = load_retriever(folders[adapter], ITEMS.slice(0, 5)).users(HISTORIES)
    assert np.isfinite(users).all()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_no_users_give_no_vectors(folders, adapter):
    vectors = load_retriever(folders[adapter], ITEMS).users(HISTORIES.slice(0, 0))
    assert vectors.shape == (0, output_width(adapter))


def test_weights_of_another_network_are_a_clear_error(folders, monkeypatch):
    monkeypatch.setattr(models_retriever, "HIDDEN_FACTOR", 3)
    with pytest.raises(DataError, match="do not fit") as caught:
        load_retriever(folders["fused"], ITEMS)
    assert "size mismatch" in caught.value.found
    assert "RETRAIN=1" in caught.value.next_step
