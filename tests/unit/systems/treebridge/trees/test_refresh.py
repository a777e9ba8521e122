import json
from datetime import date

import numpy as np
import pytest

from grove.errors import DataError
from grove.systems.treebridge.trees import TreeShape
from grove.systems.treebridge.trees.refresh import (
    MEASURES,
    Recipe,
    describe,
    extend,
    metric_rows,
    refresh_trees,
)

DAY = date(2026, 11, 19)
SHAPE = TreeShape(level_sizes=(3, 2), leaf_capacity=8, headroom=0.5)


def items(first, last):
    ids = [f"item-{number:03d}" for number in range(first, last)]
    rows = [np.random.default_rng(number).normal(size=4) for number in range(first, last)]
    return np.array(rows), ids


def with_fourth(vectors, value):
    spoilt = vectors.copy()
    spoilt[3] = value
    return spoilt


def rebuilt(first=0, last=24, *, seed=0, previous=None):
    vectors, ids = items(first, last)
    recipe = Recipe(day=DAY, shape=SHAPE, iterations=5, seed=seed)
    old = {"llm": previous} if previous else {}
    return refresh_trees(old, {"llm": vectors}, ids, recipe=recipe)["llm"]


def test_without_a_recipe_trees_are_extended():
    trees = {"llm": rebuilt().tree, "cf": rebuilt(seed=3).tree}
    vectors, ids = items(0, 26)
    refreshed = refresh_trees(trees, {"llm": vectors, "cf": vectors}, ids, recipe=None)
    assert [(one.rebuilt, one.appended) for one in refreshed.values()] == [(False, 2)] * 2
    assert refreshed["cf"].tree.generation == trees["cf"].generation


def test_a_rebuild_names_its_day_and_its_churn():
    first = rebuilt()
    assert (first.tree.built_on, first.rebuilt, first.churn) == ("2026-11-19", True, 0.0)
    assert rebuilt(previous=first.tree).churn == 0
    assert 0 < rebuilt(seed=8, last=23, previous=first.tree).churn <= 1


def test_new_items_join_and_vanished_ones_leave():
    tree = rebuilt().tree
    refresh = extend(tree, *items(4, 30))
    assert (refresh.appended, refresh.unplaced, refresh.churn) == (6, 0, 0.0)
    assert sorted(refresh.tree.item_ids) == items(4, 30)[1]
    before = dict(zip(tree.item_ids, zip(tree.leaves, tree.slots, strict=True), strict=True))
    after = zip(refresh.tree.item_ids, refresh.tree.leaves, refresh.tree.slots, strict=True)
    assert all(before.get(item, (leaf, slot)) == (leaf, slot) for item, leaf, slot in after)


@pytest.mark.parametrize("recipe", [None, Recipe(day=DAY, shape=SHAPE, iterations=5, seed=0)])
def test_a_bad_vector_is_reported_by_tree_and_item(recipe):
    trees = {"llm": rebuilt(last=22).tree, "cf": rebuilt(last=22, seed=3).tree}
    vectors, ids = items(0, 24)
    broken = vectors.copy()
    broken[23] = np.nan
    with pytest.raises(DataError, match="not finite") as caught:
        refresh_trees(trees, {"llm": vectors, "cf": broken}, ids, recipe=recipe)
    assert caught.value.where.startswith("cf tree")
    assert "item-023" in caught.value.found


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda vectors, ids: (with_fourth(vectors, np.nan), ids), "first are item-003"),
        (lambda vectors, ids: (with_fourth(vectors, 0.0), ids), "first are item-003"),
        (lambda vectors, ids: (vectors, [*ids[:-1], ids[0]]), "occur twice"),
        (lambda vectors, ids: (vectors[:-1], ids), "pair up"),
    ],
)
def test_bad_items_of_the_tree_are_reported_on_an_append_day(spoil, message):
    vectors, ids = spoil(*items(0, 24))
    with pytest.raises(DataError, match=message):
        extend(rebuilt().tree, vectors, ids)


def test_ids_that_are_no_text_stay_where_they_are():
    vectors, _ = items(0, 24)
    recipe = Recipe(day=DAY, shape=SHAPE, iterations=5, seed=0)
    tree = refresh_trees({}, {"llm": vectors}, np.arange(24), recipe=recipe)["llm"].tree
    grown = extend(tree, vectors, np.arange(24))
    assert (grown.appended, grown.churn) == (0, 0.0)


def test_a_full_tree_takes_no_item_and_reports_how_many_are_unplaced():
    tree = rebuilt().tree
    refresh = extend(tree, *items(0, 49))
    assert (refresh.appended, refresh.unplaced) == (0, 25)
    assert len(refresh.tree.item_ids) == 24


def test_the_description_is_json_in_any_order_of_items():
    refresh = rebuilt()
    vectors, ids = items(0, 24)
    note = describe(refresh, vectors[::-1], ids[::-1], ["a"] * 24)
    assert json.loads(json.dumps(note)) == note
    assert note["distortion"] == pytest.approx(note["distortion_at_build"])
    assert (note["levels"], note["capacity"], note["coherence"]) == ([3, 2], 8, 1.0)
    rows = metric_rows({"llm": note})
    assert [row["metric"] for row in rows] == list(MEASURES)
    assert {(row["model"], row["support"]) for row in rows} == {("llm", 24)}
