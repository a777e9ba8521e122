"""A worker's lists are those of the searcher, without the items a user has seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.systems.treebridge.small_generator import (
    ITEMS,
    WALKS,
    codes_of_trees,
    histories,
    save_generator,
    shop_items,
)

from grove.features.model_metadata import read_metadata
from grove.systems.treebridge.candidates import (
    SEEN,
    CandidateSearch,
    candidate_batches,
    rows_of_lists,
)
from grove.systems.treebridge.search import load_searcher

NAMES = [f"item{row:03d}" for row in range(ITEMS)]


@pytest.fixture(scope="module")
def search(tmp_path_factory) -> CandidateSearch:
    folder = tmp_path_factory.mktemp("search")
    pq.write_table(shop_items(ITEMS), folder / "items.parquet")
    for tree, table in codes_of_trees(ITEMS).items():
        pq.write_table(table, folder / f"{tree}.parquet")
    return CandidateSearch(
        model=str(save_generator(folder / "model")),
        item_table=str(folder / "items.parquet"),
        codes=tuple((tree, str(folder / f"{tree}.parquet")) for tree in ("llm", "cf")),
        beam=50,
        fusion="sum",
        new_item_bonus=0.0,
        k=7,
    )


def retrieved(search, seen):
    table = histories(WALKS).append_column(SEEN, pa.array(seen, pa.list_(pa.string())))
    batches = table.to_batches(max_chunksize=2)
    return pa.Table.from_batches(candidate_batches(search)(iter(batches)))


def test_lists_are_those_of_the_searcher_for_any_batches(search):
    searcher = load_searcher(
        search.model,
        shop_items(ITEMS),
        codes_of_trees(ITEMS),
        beam=search.beam,
        fusion=search.fusion,
        new_item_bonus=search.new_item_bonus,
    )
    rows, scores = searcher.recommend(histories(WALKS), k=search.k)
    found = retrieved(search, [None] * len(WALKS))
    assert found["user_id"].to_pylist() == [f"user{row}" for row in range(len(WALKS))]
    assert found["item_ids"].to_pylist() == [[NAMES[row] for row in rows_] for rows_ in rows]
    assert np.allclose(np.array(found["scores"].to_pylist()), scores, atol=1e-6)
    assert set(found["model_version"].to_pylist()) == {
        read_metadata(Path(search.model)).model_version
    }


def test_seen_items_are_left_out_and_a_list_ends_without_further_items(search):
    seen = [NAMES[:20], NAMES, ["no item any more"], None]
    found = retrieved(search, seen)["item_ids"].to_pylist()
    assert set(found[0]) == set(NAMES[20:])
    assert [len(listed) for listed in found] == [4, 0, 7, 7]


@given(st.lists(st.none() | st.lists(st.sampled_from("abcxyz"), max_size=4), min_size=1))
def test_rows_of_lists_are_those_of_each_list(lists):
    known = pa.array(["a", "b", "c"])
    found = rows_of_lists(pa.array(lists, pa.list_(pa.string())), known)
    wanted = [["abc".index(name) for name in one or [] if name in "abc"] for one in lists]
    assert [rows.tolist() for rows in found] == wanted
