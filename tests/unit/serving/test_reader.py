"""Opening a release: an incomplete or changed one is rejected, and keys map to the right rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.serving.small_release import DAY, ITEMS, USERS, write_small_release

from grove.errors import DataError
from grove.serving import open_current_release, open_release


@pytest.fixture
def releases(tmp_path):
    write_small_release(tmp_path)
    return tmp_path


def test_the_served_release_is_opened_with_all_its_parts(releases):
    reader = open_current_release(releases / "current.json")
    assert reader.manifest.release_id == f"{DAY}.1"
    assert reader.items.num_rows == reader.index.ntotal == ITEMS
    assert reader.histories.num_rows == reader.user_embeddings.num_rows == USERS
    assert set(reader.searcher.trees) == {"llm", "cf"}
    assert reader.popularity.sum() == 6 * USERS
    assert not reader.keeps_seen_items


def test_the_boost_of_new_items_is_that_of_the_release(releases):
    reader = open_current_release(releases / "current.json")
    # The small release predates this setting.
    assert reader.new_item_bonus == reader.searcher.new_item_bonus == 0.0
    settings = {**reader.manifest.settings, "treebridge": {"beam": 4, "new_item_bonus": 1.5}}
    boosting = replace(reader, manifest=replace(reader.manifest, settings=settings))
    assert boosting.new_item_bonus == boosting.searcher.new_item_bonus == 1.5


def test_a_history_ends_with_the_day_of_the_release(releases):
    history = open_current_release(releases / "current.json").history_of("user0003")
    assert history["day"].to_pylist() == [DAY]
    assert history["cut"].to_pylist() == ["through"]


def test_opening_without_a_served_release_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="no release is served yet"):
        open_current_release(tmp_path / "current.json")


def test_a_changed_file_is_not_read(releases):
    folder = releases / f"{DAY}.1"
    content = (folder / "codes_llm.parquet").read_bytes()
    (folder / "codes_llm.parquet").write_bytes(content[:-1] + b"x")
    with pytest.raises(DataError, match="checksum differs"):
        open_release(folder)


def test_a_half_written_release_is_not_read(releases):
    (releases / f"{DAY}.1" / "manifest.json").unlink()
    with pytest.raises(DataError, match="half-written"):
        open_current_release(releases / "current.json")


POSITIVES = pa.table(
    {
        "user_id": ["user0001", "user0001", "user0001", "longgone"],
        "item_id": ["item009", "item004", "item009", "item029"],
    }
)


def test_seen_items_and_popularity_cover_all_days(tmp_path):
    write_small_release(tmp_path, positives=POSITIVES)
    reader = open_current_release(tmp_path / "current.json")
    assert reader.seen_by("user0001").tolist() == [4, 9]
    assert reader.seen_by("unknown user").tolist() == []
    assert reader.popularity.dtype == np.int64
    assert reader.popularity.tolist() == [{4: 1, 9: 2, 29: 1}.get(row, 0) for row in range(ITEMS)]


def test_without_the_list_of_all_days_seen_items_are_those_of_the_histories(releases):
    reader = open_current_release(releases / "current.json")
    history = reader.history_of("user0001")["item_ids"][0].as_py()
    assert reader.seen_by("user0001").tolist() == sorted({int(item[4:]) for item in history})


def test_a_changed_list_of_seen_items_is_not_read(tmp_path):
    folder = tmp_path / write_small_release(tmp_path, positives=POSITIVES)
    content = (folder / "seen.parquet").read_bytes()
    (folder / "seen.parquet").write_bytes(content[:-1] + b"x")
    with pytest.raises(DataError, match=r"seen\.parquet: checksum differs"):
        open_release(folder)


def test_keys_map_back_to_rows(releases):
    reader = open_current_release(releases / "current.json")
    keys = reader.items["item_key"].to_numpy()
    assert reader.rows_of_keys(keys).tolist() == list(range(ITEMS))
    assert reader.rows_of_keys(np.array([-1, 7])).tolist() == [-1, -1]


def test_ids_of_removed_items_are_omitted(releases):
    reader = open_current_release(releases / "current.json")
    assert reader.rows_of(pa.array(["item002", "gone", "item000"])).tolist() == [2, 0]
