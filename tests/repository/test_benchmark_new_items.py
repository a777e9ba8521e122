"""The benchmark that boosts new items: effect of a bonus on lists, and choice of the bonus."""

from __future__ import annotations

import numpy as np
import pytest
from tests.benchmarks import new_items, splits
from tests.benchmarks.bench import Bench
from tests.repository.tiny_shop import (
    NEW_ITEMS,
    SPLIT_ON,
    item_table,
    shop_of,
    tiny_options,
    walks,
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    shop = shop_of(walks())
    return Bench(
        split=splits.by_time(shop, item_table(shop), split_on=SPLIT_ON),
        folder=tmp_path_factory.mktemp("bench"),
        options=tiny_options(epochs=1, learning_rate=5e-3),
        seed=1,
        workers=1,
    )


@pytest.mark.parametrize("name", sorted(new_items.MODELS))
def test_a_large_bonus_puts_every_new_item_first(bench: Bench, name: str) -> None:
    _, lists_by_bonus = new_items.MODELS[name]
    plain, boosted = lists_by_bonus(bench, (0.0, 50.0)).values()
    new = np.flatnonzero(~bench.split.known)
    assert len(new) == NEW_ITEMS
    assert all(set(listed) == set(new) for listed in boosted[:, :NEW_ITEMS])
    assert not all(set(listed) == set(new) for listed in plain[:, :NEW_ITEMS])
    # Among themselves the old items keep their order.
    for before, after in zip(plain, boosted, strict=True):
        assert before[~np.isin(before, new)].tolist() == after[NEW_ITEMS:].tolist()


def test_every_bonus_of_every_model_is_reported(bench: Bench) -> None:
    found: new_items.Found = {}
    rows = list(new_items.boost(bench, found))
    assert len(found) == len(new_items.MODELS) * len(new_items.BONUSES) * 2
    assert len(rows) == len(found) * len(new_items.HITS)
    bonuses = {new_items.OURS: 1.0, new_items.ADAPTER: 0.0}
    lifts = list(new_items.compare(bench.split, "a rule", bonuses, found))
    assert [row.value for row in lifts] == [1.0, 1.0]  # lists hold the whole catalogue
    assert [row.met for row in lifts] == [False, True]


def figures(everything: dict[float, float], new: dict[float, float]) -> new_items.Found:
    found: new_items.Found = {}
    for bonus in new_items.BONUSES:
        found[new_items.ADAPTER, bonus, "all"] = 0.5 - 0.01 * bonus
        found[new_items.ADAPTER, bonus, "new items"] = bonus
        found[new_items.OURS, bonus, "all"] = everything[bonus]
        found[new_items.OURS, bonus, "new items"] = new[bonus]
    return found


def test_the_chosen_bonus_finds_most_new_items_of_those_that_keep_the_level() -> None:
    bonuses = new_items.BONUSES
    falling = {bonus: 0.56 - 0.04 * bonus for bonus in bonuses}  # below .5 from 2 on
    rising = {bonus: 0.1 + bonus for bonus in bonuses}
    found = figures(falling, rising)
    assert new_items.chosen_bonus(found, new_items.OURS, 0.5) == 1.5
    assert new_items.chosen_bonus(found, new_items.OURS, 0.6) == 0.0


def test_the_bonus_is_chosen_by_three_rules() -> None:
    falling = {bonus: 0.56 - 0.04 * bonus for bonus in new_items.BONUSES}
    found = figures(falling, {bonus: 1 + bonus for bonus in new_items.BONUSES})
    ours, theirs = new_items.OURS, new_items.ADAPTER
    assert new_items.choose_bonuses(found) == {
        "no boost": {theirs: 0.0, ours: 0.0},
        "each at 2% less over all": {theirs: 1.0, ours: 0.25},  # .49 and .5488 are the least
        "no worse over all than PRECISE-type": {theirs: 0.0, ours: 1.5},
    }
