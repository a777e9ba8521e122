"""The searcher: new items are found, filters hold, users do not change each other."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.systems.treebridge.small_generator import (
    CAPACITY,
    ITEMS,
    TEXT_WIDTH,
    TREES,
    WALKS,
    codes,
    codes_of_trees,
    histories,
    save_generator,
    shop_items,
)

from grove.errors import DataError
from grove.inference.interleave import round_robin
from grove.inference.load import in_batches
from grove.systems.treebridge import decoder_scorer
from grove.systems.treebridge.fusion import Fusion
from grove.systems.treebridge.search import USERS_PER_SEARCH, SearchFilters, load_searcher

SEARCH = {"beam": 50, "fusion": "sum", "new_item_bonus": 0.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return save_generator(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def weighing(tmp_path_factory) -> Path:
    """The same weights, of a training with the item-level loss."""
    return save_generator(tmp_path_factory.mktemp("weighing"), item_weight=1.0)


def searcher_of(folder, count=ITEMS, **options):
    options = SEARCH | options
    return load_searcher(folder, shop_items(count), codes_of_trees(count), **options)


def test_users_do_not_change_each_other(folder):
    searcher = searcher_of(folder, beam=2)
    rows, scores = searcher.recommend(histories(WALKS), k=6)
    for user, walk in enumerate(WALKS):
        alone, alone_scores = searcher.recommend(histories([walk]), k=6)
        assert np.array_equal(alone[0], rows[user])
        assert np.allclose(alone_scores[0], scores[user], atol=1e-6)


def test_empty_histories_get_one_list_independent_of_other_users(folder):
    searcher = searcher_of(folder)
    rows, scores = searcher.recommend(histories([[], WALKS[0], []]), k=6)
    alone, alone_scores = searcher.recommend(histories([[]]), k=6)
    assert rows[0].tolist() == rows[2].tolist() == alone[0].tolist()
    assert (alone >= 0).all() and np.isfinite(scores).all()
    assert np.allclose(alone_scores[0], scores[0], atol=1e-6)
    assert rows[1].tolist() == searcher.recommend(histories([WALKS[0]]), k=6)[0][0].tolist()


def test_probabilities_of_a_wide_beam_sum_to_one(folder):
    found = searcher_of(folder).search(histories(WALKS), k=ITEMS)
    for rows, scores in found.by_tree.values():
        assert (np.sort(rows, axis=1) == np.arange(ITEMS)).all()
        assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    rows, scores = found.fused
    assert (np.sort(rows, axis=1) == np.arange(ITEMS)).all()
    assert np.allclose(scores.sum(axis=1), len(TREES), atol=1e-5)


def test_a_generator_with_the_item_loss_ranks_by_item_scores_too(folder, weighing):
    trees, both = (searcher_of(one).search(histories(WALKS), k=ITEMS) for one in (folder, weighing))
    searcher = searcher_of(weighing)
    states = in_batches(histories(WALKS), searcher.inputs.encoder, searcher._states)
    own = np.exp(states @ searcher.item_vectors[1:].numpy().T)  # [U, N]
    for plain, weighed in [(trees.fused, both.fused), (trees.by_tree["cf"], both.by_tree["cf"])]:
        probability = np.zeros_like(own)
        np.put_along_axis(probability, plain[0], plain[1], axis=1)
        assert np.array_equal(weighed[0], np.argsort(-probability * own, axis=1, kind="stable"))
        assert not np.array_equal(weighed[0], plain[0])


def test_with_a_keyword_the_trees_are_alone(folder, weighing):
    keywords = np.eye(len(WALKS), TEXT_WIDTH, dtype=np.float32)
    plain, weighed = (
        searcher_of(one).recommend(
            histories(WALKS), k=7, filters=SearchFilters(keyword_vectors=keywords)
        )
        for one in (folder, weighing)
    )
    assert np.array_equal(plain[0], weighed[0])


def test_the_bonus_boosts_new_items_and_no_others(folder):
    count = ITEMS + 3
    plain, boosted = (
        searcher_of(folder, count, new_item_bonus=bonus).search(histories(WALKS), k=count)
        for bonus in (0.0, 1.5)
    )
    for before, after in [
        (plain.fused, boosted.fused),
        (plain.by_tree["cf"], boosted.by_tree["cf"]),
    ]:
        scores = np.zeros((2, len(WALKS), count))  # by item
        for table, (rows, found) in zip(scores, (before, after), strict=True):
            np.put_along_axis(table, rows, found, axis=1)
        assert np.allclose(scores[1, :, :ITEMS], scores[0, :, :ITEMS], rtol=1e-5)
        assert np.allclose(scores[1, :, ITEMS:], np.exp(1.5) * scores[0, :, ITEMS:], rtol=1e-5)


def test_with_a_keyword_new_items_are_not_boosted(folder):
    count, keywords = ITEMS + 3, np.eye(len(WALKS), TEXT_WIDTH, dtype=np.float32)
    keywords[0] = 0  # the first user is silent
    plain, boosted = (
        searcher_of(folder, count, new_item_bonus=bonus).recommend(
            histories(WALKS), k=count, filters=SearchFilters(keyword_vectors=keywords)
        )
        for bonus in (0.0, 5.0)
    )
    assert not np.array_equal(plain[0][0], boosted[0][0])
    assert np.array_equal(plain[0][1:], boosted[0][1:])


def test_an_appended_item_is_found_and_the_others_stay_as_likely_between_them(folder):
    count = ITEMS + 3
    before = searcher_of(folder).search(histories(WALKS), k=ITEMS).by_tree["llm"]
    after = searcher_of(folder, count).search(histories(WALKS), k=count).by_tree["llm"]
    for user in range(len(WALKS)):
        listed = after[0][user].tolist()
        assert set(range(ITEMS, count)) <= set(listed)
        old_leaf = [row for row in listed if row < ITEMS]
        assert set(old_leaf) == set(before[0][user].tolist())


def test_paths_scored_a_few_at_a_time_are_the_same_paths(folder, monkeypatch):
    searcher = searcher_of(folder, beam=4)
    together, scores = searcher.recommend(histories(WALKS), k=9)
    monkeypatch.setattr(decoder_scorer, "PATHS_AT_ONCE", 5)
    piecewise, piecewise_scores = searcher.recommend(histories(WALKS), k=9)
    assert np.array_equal(piecewise, together)
    assert np.allclose(piecewise_scores, scores, atol=1e-6)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000), k=st.integers(1, 30), beam=st.integers(1, 5), weighs=st.booleans()
)
def test_filters_hold_and_every_user_gets_as_many_items_as_exist(
    folder, weighing, seed, k, beam, weighs
):
    generator = np.random.default_rng(seed)
    eligible = generator.random(ITEMS) < generator.choice([0.1, 0.6, 1.0])
    excluded = [np.flatnonzero(generator.random(ITEMS) < 0.5) for _ in WALKS]
    found = searcher_of(weighing if weighs else folder, beam=beam).search(
        histories(WALKS), k=k, filters=SearchFilters(eligible=eligible, excluded=excluded)
    )
    for rows, scores in (found.fused, *found.by_tree.values()):
        assert rows.shape == scores.shape == (len(WALKS), k)
        for row, taken in zip(rows.tolist(), excluded, strict=True):
            allowed = set(np.flatnonzero(eligible).tolist()) - set(taken.tolist())
            listed = [item for item in row if item >= 0]
            assert set(listed) <= allowed
            assert len(listed) == len(set(listed)) == min(k, len(allowed))
            assert row[len(listed) :] == [-1] * (k - len(listed))


@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_no_users_no_lists(folder, weighing, fusion):
    for one in (folder, weighing):
        rows, scores = searcher_of(one, fusion=fusion).recommend(histories([]), k=4)
        assert rows.shape == scores.shape == (0, 4)


def test_the_trees_may_be_interleaved_round_robin(folder):
    found = searcher_of(folder, fusion="round_robin").search(histories(WALKS), k=7)
    summed = searcher_of(folder).search(histories(WALKS), k=7)
    turns = round_robin([found.by_tree[name][0] for name in sorted(TREES)], 7)
    assert np.array_equal(found.fused[0], turns)
    assert not np.array_equal(found.fused[0], summed.fused[0])


def test_filters_hold_in_every_piece_of_a_large_search(folder):
    walks = [[row % ITEMS, (row * 5 + 1) % ITEMS] for row in range(2 * USERS_PER_SEARCH + 3)]
    excluded = [np.array(walk) for walk in walks]
    eligible = np.arange(ITEMS) % 4 > 0
    rows, _ = searcher_of(folder, beam=2).recommend(
        histories(walks), k=ITEMS, filters=SearchFilters(eligible=eligible, excluded=excluded)
    )
    for listed, taken in zip(rows.tolist(), excluded, strict=True):
        allowed = set(np.flatnonzero(eligible).tolist()) - set(taken.tolist())
        assert sorted(row for row in listed if row >= 0) == sorted(allowed)


def larger_codes():
    paths = pa.array([[5 + row, 0] for row in range(ITEMS)], pa.list_(pa.int32()))
    return codes(ITEMS, 2).set_column(1, "path", paths)


@pytest.mark.parametrize("cf", [None, larger_codes()], ids=["missing tree", "larger codes"])
def test_codes_of_another_tree_are_rejected(folder, cf):
    trees = {"llm": codes(ITEMS, 1)} | ({"cf": cf} if cf is not None else {})
    with pytest.raises(DataError, match="not trained on these codes"):
        load_searcher(folder, shop_items(ITEMS), trees, **SEARCH)


def test_slots_beyond_those_of_a_slot_decoder_are_reported(tmp_path):
    folder = save_generator(tmp_path, leaf_step="slot")
    more = codes(ITEMS, 2)
    slots = more["slot"].to_numpy().copy()
    slots[0] = CAPACITY
    trees = {"llm": codes(ITEMS, 1), "cf": more.set_column(2, "slot", pa.array(slots))}
    with pytest.raises(DataError, match="not trained on these codes") as caught:
        load_searcher(folder, shop_items(ITEMS), trees, **SEARCH)
    assert caught.value.found == f"{CAPACITY + 1} slots in a leaf"
