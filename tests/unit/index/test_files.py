import json

import faiss
import numpy as np
import pyarrow as pa
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


def test_equal_vectors_share_an_entry_of_a_saved_index(tmp_path):
    item_ids = np.array(["a", "b", "c", "d"], dtype=object)
    keys = item_keys(item_ids)
    vectors = np.eye(3)[[2, 0, 2, 1]]
    index = build_index(keys, vectors, factory="IDMap2,Flat", ef_construction=40)
    save_index(tmp_path, index, item_ids, keys, {})
    again, table = load_index(tmp_path)
    assert (again.ntotal, again.vectors.ntotal) == (4, 3)
    assert table["group_key"].to_pylist() == keys[[0, 1, 0, 3]].tolist()
    for one, other in zip(
        search(again, vectors, k=4, ef_search=16),
        search(index, vectors, k=4, ef_search=16),
        strict=True,
    ):
        assert np.array_equal(one, other)


def test_a_folder_with_one_key_per_item_is_still_read(folder):
    pq.write_table(
        pq.read_table(folder / "keys.parquet").drop_columns(["group_key"]), folder / "keys.parquet"
    )
    index, keys = load_index(folder)
    found, _ = search(index, np.eye(3), k=2, ef_search=16)
    assert found[:, 0].tolist() == keys["item_key"].to_pylist()
    assert index.ntotal == 3


def test_an_index_of_earlier_code_that_holds_equal_vectors_twice_is_still_searched(tmp_path):
    keys = item_keys(["a", "b", "c"])
    flat = faiss.index_factory(2, "IDMap2,Flat", faiss.METRIC_INNER_PRODUCT)
    flat.add_with_ids(np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32), keys)
    faiss.write_index(flat, str(tmp_path / "index.faiss"))
    table = pa.table({"item_id": ["a", "b", "c"], "item_key": keys})
    pq.write_table(table, tmp_path / "keys.parquet")
    found, _ = search(load_index(tmp_path)[0], np.array([[1, 0]]), k=3, ef_search=16)
    assert found.tolist() == [keys.tolist()]


def test_as_many_keys_of_other_items_are_a_data_error(folder):
    table = pq.read_table(folder / "keys.parquet")
    other = table.set_column(2, "group_key", pa.array(item_keys(["x", "y", "z"])))
    pq.write_table(other, folder / "keys.parquet")
    with pytest.raises(DataError, match="3 of the index are missing"):
        load_index(folder)
