"""The searcher: new items are found, filters hold, users do not change each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grove.errors import DataError
from grove.features.items import item_attributes
from grove.features.model_folder import save_model
from grove.features.vocabulary import Vocabulary
from grove.inference.beam import Candidates
from grove.inference.treebridge import load_searcher
from grove.inference.treebridge_fusion import fuse_candidates, rank_candidates
from grove.models.treebridge import TreeBridge

ITEMS, TEXT_WIDTH, CAPACITY = 24, 8, 4
TREES = {"llm": [3, 3], "cf": [3, 3]}


def shop_items(count):
    vectors = np.random.default_rng(1).normal(size=(count, TEXT_WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(count)],
            "text_vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), TEXT_WIDTH),
            "category": ["Shop"] * count,
            "brand": [f"Brand {row % 3}" for row in range(count)],
            "tags": pa.array([[]] * count, pa.list_(pa.string())),
            "price_bucket": pa.array([row % 5 for row in range(count)], pa.int8()),
        }
    )


def codes(count, seed):
    """Items dealt out over nine leaves in a random order."""
    order = np.random.default_rng(seed).permutation(9 * CAPACITY)[:count]
    return pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(count)],
            "path": pa.array(
                [[place // (3 * CAPACITY), place // CAPACITY % 3] for place in order],
                pa.list_(pa.int32()),
            ),
            "slot": (order % CAPACITY).tolist(),
        }
    )


STRINGS = pa.list_(pa.string())


def histories(rows):
    def every(value, kind=STRINGS):
        return pa.array([[value] * len(walk) for walk in rows], kind)

    return pa.table(
        {
            "user_id": [f"user{row}" for row in range(len(rows))],
            "item_ids": pa.array(
                [[f"item{i:03d}" for i in walk] for walk in rows], pa.list_(pa.string())
            ),
            "event_types": every("click"),
            "event_times": pa.array(
                [[1_700_000_000_000_000 + 10**9 * at for at in range(len(walk))] for walk in rows],
                pa.list_(pa.timestamp("us", tz="UTC")),
            ),
            "landed_days": every(19_000, pa.list_(pa.date32())),
            **{name: every("") for name in ("queries", "regions", "devices", "weathers")},
            "promotions": every(""),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    names = [name for names in item_attributes(shop_items(ITEMS)) for name in names]
    vocabulary = Vocabulary(event_types=("click",)).grow(
        shop_items(ITEMS)["item_id"].to_pylist(), names
    )
    fields = ("items", "attributes", "event_types", "regions", "devices", "weathers", "promotions")
    arguments = {
        "encoder": {"width": 8, "layers": 1, "heads": 2, "dropout": 0.1},
        "trees": TREES,
        "capacity": CAPACITY,
        "text_width": TEXT_WIDTH,
        "rows": {name: vocabulary.rows(name) for name in fields} | {"positions": 10},
        "leaf_step": "item_score",
    }
    torch.manual_seed(4)
    model = TreeBridge(**arguments)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.5)
    path = tmp_path_factory.mktemp("model")
    save_model(path, model, vocabulary, {"arguments": arguments, "max_events": 10})
    return path


def searcher_of(folder, count=ITEMS, beam=50):
    trees = {"llm": codes(count, 1), "cf": codes(count, 2)}
    return load_searcher(folder, shop_items(count), trees, beam=beam)


WALKS = [[0, 3, 5], [7], [2, 2, 9, 11, 4], [1, 20]]


def test_users_do_not_change_each_other(folder):
    searcher = searcher_of(folder, beam=2)
    rows, scores = searcher.recommend(histories(WALKS), k=6)
    for user, walk in enumerate(WALKS):
        alone, alone_scores = searcher.recommend(histories([walk]), k=6)
        assert np.array_equal(alone[0], rows[user])
        assert np.allclose(alone_scores[0], scores[user], atol=1e-6)


def test_a_wide_beam_shares_out_all_probability(folder):
    found = searcher_of(folder).search(histories(WALKS), k=ITEMS)
    for rows, scores in found.by_tree.values():
        assert (np.sort(rows, axis=1) == np.arange(ITEMS)).all()
        assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    rows, scores = found.fused
    assert (np.sort(rows, axis=1) == np.arange(ITEMS)).all()
    assert np.allclose(scores.sum(axis=1), len(TREES), atol=1e-5)


def test_an_appended_item_is_found_and_the_others_stay_as_likely_between_them(folder):
    count = ITEMS + 3
    before = searcher_of(folder).search(histories(WALKS), k=ITEMS).by_tree["llm"]
    after = searcher_of(folder, count).search(histories(WALKS), k=count).by_tree["llm"]
    for user in range(len(WALKS)):
        listed = after[0][user].tolist()
        assert set(range(ITEMS, count)) <= set(listed)
        old_leaf = [row for row in listed if row < ITEMS]
        assert set(old_leaf) == set(before[0][user].tolist())


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 30), beam=st.integers(1, 5))
def test_filters_hold_and_nobody_gets_fewer_than_possible(folder, seed, k, beam):
    generator = np.random.default_rng(seed)
    eligible = generator.random(ITEMS) < generator.choice([0.1, 0.6, 1.0])
    excluded = [np.flatnonzero(generator.random(ITEMS) < 0.5) for _ in WALKS]
    found = searcher_of(folder, beam=beam).search(
        histories(WALKS), k=k, eligible=eligible, excluded=excluded
    )
    for rows, scores in (found.fused, *found.by_tree.values()):
        assert rows.shape == scores.shape == (len(WALKS), k)
        for row, taken in zip(rows.tolist(), excluded, strict=True):
            allowed = set(np.flatnonzero(eligible).tolist()) - set(taken.tolist())
            listed = [item for item in row if item >= 0]
            assert set(listed) <= allowed
            assert len(listed) == len(set(listed)) == min(k, len(allowed))
            assert row[len(listed) :] == [-1] * (k - len(listed))


def test_no_users_no_lists(folder):
    rows, scores = searcher_of(folder).recommend(histories([]), k=4)
    assert rows.shape == scores.shape == (0, 4)


def larger_codes():
    paths = pa.array([[5 + row, 0] for row in range(ITEMS)], pa.list_(pa.int32()))
    return codes(ITEMS, 2).set_column(1, "path", paths)


@pytest.mark.parametrize("cf", [None, larger_codes()], ids=["missing tree", "larger codes"])
def test_codes_of_another_tree_are_refused(folder, cf):
    trees = {"llm": codes(ITEMS, 1)} | ({"cf": cf} if cf is not None else {})
    with pytest.raises(DataError, match="not those the generator speaks"):
        load_searcher(folder, shop_items(ITEMS), trees, beam=4)


def random_candidates(generator, users, items):
    rows = np.stack([generator.permutation(items)[:4] for _ in range(users)])
    found = generator.random(rows.shape) < 0.8
    scores = np.where(found, np.log(generator.random(rows.shape)), -np.inf)
    return Candidates(torch.from_numpy(np.where(found, rows, -1)), torch.from_numpy(scores))


def reference_fused(trees, user, k):
    totals: dict[int, float] = {}
    for tree in trees:
        pairs = zip(
            tree.rows[user].tolist(), tree.log_probabilities[user].exp().tolist(), strict=True
        )
        for row, probability in pairs:
            if row >= 0:
                totals[row] = totals.get(row, 0.0) + probability
    return sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))[:k]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), trees=st.integers(1, 3), k=st.integers(1, 12))
def test_fusion_against_a_dictionary(seed, trees, k):
    generator = np.random.default_rng(seed)
    candidates = [random_candidates(generator, 3, 6) for _ in range(trees)]
    rows, scores = fuse_candidates(candidates, k=k)
    for user in range(3):
        expected = reference_fused(candidates, user, k)
        assert [row for row in rows[user].tolist() if row >= 0] == [row for row, _ in expected]
        assert scores[user, : len(expected)].tolist() == pytest.approx(
            [score for _, score in expected], rel=1e-5
        )


def test_ranking_one_tree_is_fusing_it_alone():
    candidates = random_candidates(np.random.default_rng(3), 5, 9)
    for one, other in zip(
        rank_candidates(candidates, k=6), fuse_candidates([candidates], k=6), strict=True
    ):
        assert np.array_equal(one, other)
