"""Encoding users and items: order, batches, new items, and a worker that loads once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.training.synthetic import OPTIONS, histories_of, shop_items, walks, write_shop

from grove.inference import load as loaded
from grove.systems.dssm import encode as dssm
from grove.systems.dssm.train import train_dssm_worker
from grove.systems.stars import encode as stars
from grove.systems.stars.train import train_stars_worker

ITEMS = shop_items(20)
HISTORIES = histories_of(walks(30, 6, 20))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    found = {}
    for name, train in (("dssm", train_dssm_worker), ("stars", train_stars_worker)):
        folder = tmp_path_factory.mktemp(name)
        spec = write_shop(folder, HISTORIES, ITEMS, options={**OPTIONS, "epochs": 1})
        train(spec.as_json())
        found[name] = spec.output_folder
    return found


def encode_users(name: str, folder: Path, items: pa.Table, histories: pa.Table) -> np.ndarray:
    if name == "dssm":
        return dssm.load_dssm(folder, items).users(histories)
    users = stars.load_stars(folder, items).users(histories)
    return np.concatenate([users.h_gen, users.h_next], axis=1)


def encode_items(name: str, folder: Path, items: pa.Table) -> np.ndarray:
    load = {"dssm": dssm.load_dssm, "stars": stars.load_stars}[name]
    return load(folder, items).item_vectors[1:].numpy()


@pytest.mark.parametrize("name", ["dssm", "stars"])
def test_a_users_vector_does_not_depend_on_other_users_or_order(folders, monkeypatch, name):
    together = encode_users(name, folders[name], ITEMS, HISTORIES)
    order = np.random.default_rng(0).permutation(len(HISTORIES))
    monkeypatch.setattr(loaded, "USERS_PER_BATCH", 7)
    shuffled = encode_users(name, folders[name], ITEMS, HISTORIES.take(order))
    assert np.allclose(together[order], shuffled, atol=1e-5)


@pytest.mark.parametrize("name", ["dssm", "stars"])
def test_new_items_need_no_training(folders, name):
    """A history and a catalogue with items the model never saw are encoded like any other."""
    grown = shop_items(23)
    histories = histories_of([[0, 21, 22], [22]])
    items = encode_items(name, folders[name], grown)
    users = encode_users(name, folders[name], grown, histories)
    assert np.isfinite(items).all()
    assert np.isfinite(users).all()
    assert len({tuple(row) for row in items.round(4).tolist()}) == 23


@pytest.mark.parametrize("name", ["dssm", "stars"])
def test_an_item_missing_from_the_table_is_no_error(folders, name):
    users = encode_users(name, folders[name], ITEMS.slice(0, 5), HISTORIES)
    assert np.isfinite(users).all()


@pytest.mark.parametrize("name", ["dssm", "stars"])
def test_items_in_pieces_are_the_same_items(folders, monkeypatch, name):
    whole = encode_items(name, folders[name], ITEMS)
    monkeypatch.setattr(loaded, "ITEMS_PER_BATCH", 3)
    assert np.allclose(encode_items(name, folders[name], ITEMS), whole, atol=1e-5)
    assert whole.dtype == np.float32
    assert whole.shape == (20, OPTIONS["width"])


def test_no_users_give_no_vectors(folders):
    no_users = HISTORIES.slice(0, 0)
    assert encode_users("dssm", folders["dssm"], ITEMS, no_users).shape == (0, 16)
    assert encode_users("stars", folders["stars"], ITEMS, no_users).shape == (0, 32)


def test_a_worker_loads_the_model_once_and_gives_each_user_once(folders, monkeypatch, tmp_path):
    items = tmp_path / "items.parquet"
    pq.write_table(ITEMS, items)
    loads = []
    load = stars.load_stars
    monkeypatch.setattr(stars, "load_stars", lambda *given: loads.append(given) or load(*given))
    worker = stars.user_embedding_batches(str(folders["stars"]), str(items))
    batches = HISTORIES.to_batches(max_chunksize=8)
    empty = HISTORIES.slice(0, 0).combine_chunks().to_batches()
    made = pa.Table.from_batches(list(worker(iter([*batches, *empty]))))
    more = list(worker(iter(batches[:1])))  # the next task of the same worker
    assert len(loads) == 1
    assert len(more) == 1
    assert made["user_id"].to_pylist() == HISTORIES["user_id"].to_pylist()
    expected = load(folders["stars"], ITEMS).users(HISTORIES)
    assert np.allclose(made["h_gen"].to_pylist(), expected.h_gen, atol=1e-5)
    assert np.allclose(made["h_next"].to_pylist(), expected.h_next, atol=1e-5)
    assert len(set(made["model_version"].to_pylist())) == 1
