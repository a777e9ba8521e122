import numpy as np
import pyarrow.parquet as pq
import pytest

from grove.errors import DataError
from grove.systems.treebridge.trees import (
    append,
    codes_table,
    leaves_of_paths,
    load_tree,
    save_tree,
)


def test_a_saved_tree_is_read_back_and_can_grow(tree, tmp_path):
    save_tree(tmp_path / "llm", tree)
    read = load_tree(tmp_path / "llm")
    for name in ("level_sizes", "leaf_capacity", "generation", "distortion_at_build", "built_on"):
        assert getattr(read, name) == getattr(tree, name)
    for name in ("leaves", "slots", "item_ids"):
        assert np.array_equal(getattr(read, name), getattr(tree, name))
    for name in ("codebooks", "centroids"):
        pairs = zip(getattr(read, name), getattr(tree, name), strict=True)
        assert all(np.array_equal(one, other) for one, other in pairs)
    one, other = (append(grown, np.ones((3, 8)), ["x", "y", "z"]) for grown in (read, tree))
    assert codes_table(one).equals(codes_table(other))


def test_the_folder_holds_no_pickle(tree, tmp_path):
    save_tree(tmp_path, tree)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["codes.parquet", "tree.json", "tree.safetensors"]
    assert pq.read_table(tmp_path / "codes.parquet").column_names == ["item_id", "path", "slot"]


@pytest.mark.parametrize("name", ["codes.parquet", "tree.json", "tree.safetensors"])
def test_an_incomplete_folder_is_a_data_error(tree, tmp_path, name):
    save_tree(tmp_path, tree)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=f"no {name}"):
        load_tree(tmp_path)


@pytest.mark.parametrize("paths", [[[0, 4]], [[-1, 0]], [[0, 0, 0]]])
def test_paths_outside_the_tree_are_data_errors(paths):
    with pytest.raises(DataError, match="not in the tree"):
        leaves_of_paths(np.array(paths), (5, 4))
