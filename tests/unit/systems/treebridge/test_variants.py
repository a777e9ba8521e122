"""Lists of the generator that hold one variant of each product."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.systems.treebridge.small_generator import (
    ITEMS,
    WALKS,
    codes_of_trees,
    histories,
    save_generator,
    shop_items,
)

from grove.systems.treebridge.fusion import Fusion
from grove.systems.treebridge.search import SearchFilters, load_searcher


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_generator(tmp_path_factory.mktemp("model"))


def searcher_of(folder, *, beam, fusion="sum"):
    return load_searcher(
        folder,
        shop_items(ITEMS),
        codes_of_trees(ITEMS),
        beam=beam,
        fusion=fusion,
        new_item_bonus=0.0,
    )


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 30),
    beam=st.integers(1, 5),
    fusion=st.sampled_from(get_args(Fusion)),
)
def test_every_user_gets_as_many_products_as_exist(folder, seed, k, beam, fusion):
    generator = np.random.default_rng(seed)
    products = generator.integers(0, generator.choice([1, 4, ITEMS]), ITEMS)
    excluded = [np.flatnonzero(generator.random(ITEMS) < 0.5) for _ in WALKS]
    found = searcher_of(folder, beam=beam, fusion=fusion).search(
        histories(WALKS), k=k, filters=SearchFilters(excluded=excluded, products=products)
    )
    for rows, scores in (found.fused, *found.by_tree.values()):
        assert rows.shape == scores.shape == (len(WALKS), k)
        for row, taken in zip(rows, excluded, strict=True):
            allowed = np.setdiff1d(np.arange(ITEMS), taken)
            listed = row[row >= 0]
            assert set(listed) <= set(allowed)
            numbers = products[listed].tolist()
            assert len(numbers) == len(set(numbers)) == min(k, len(set(products[allowed])))
            assert (row[len(listed) :] == -1).all()


def test_the_best_variant_of_the_whole_list_is_kept(folder):
    searcher = searcher_of(folder, beam=50)
    products = np.arange(ITEMS) // 3
    whole, scores = searcher.recommend(histories(WALKS), k=ITEMS)
    kept, kept_scores = searcher.recommend(
        histories(WALKS), k=5, filters=SearchFilters(products=products)
    )
    for user in range(len(WALKS)):
        _, first = np.unique(products[whole[user]], return_index=True)
        places = np.sort(first)[:5]
        assert np.array_equal(kept[user], whole[user][places])
        assert np.allclose(kept_scores[user], scores[user][places], rtol=1e-5)


def test_products_of_single_items_change_nothing(folder):
    searcher = searcher_of(folder, beam=3)
    plain = searcher.recommend(histories(WALKS), k=6)
    single = searcher.recommend(
        histories(WALKS), k=6, filters=SearchFilters(products=np.arange(ITEMS))
    )
    assert np.array_equal(plain[0], single[0])
    assert np.array_equal(plain[1], single[1])
