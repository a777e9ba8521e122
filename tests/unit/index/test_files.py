import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from grove.errors import DataError
from grove.index import build_index, item_keys, load_index, save_index, search


@pytest.fixture
def folder(tmp_path):
    item_ids = np.array(["a", "b", "c"], dtype=object)
    keys = item_keys(item_ids)
    index = build_index(keys, np.eye(3), factory="IDMap2,HNSW32", ef_construction=40)
    save_index(tmp_path / "index", index, item_ids, keys, {"recall": 1.0})
    return tmp_path / "index"


def test_a_saved_index_is_read_back_with_its_keys(folder):
    index, keys = load_index(folder)
    found, _ = search(index, np.eye(3), k=1, ef_search=16)
    assert found[:, 0].tolist() == keys["item_key"].to_pylist()
    assert keys["item_id"].to_pylist() == ["a", "b", "c"]
    assert json.loads((folder / "index.json").read_text()) == {"recall": 1.0}


@pytest.mark.parametrize("name", ["index.faiss", "keys.parquet"])
def test_a_missing_file_is_a_data_error(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"no {name}"):
        load_index(folder)


def test_keys_of_another_index_are_a_data_error(folder):
    pq.write_table(pq.read_table(folder / "keys.parquet").slice(1), folder / "keys.parquet")
    with pytest.raises(DataError, match="3 keys"):
        load_index(folder)
