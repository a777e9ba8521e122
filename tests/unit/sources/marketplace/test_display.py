import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grove.sources.marketplace.display import (
    RESULT_SLOTS,
    draw_slots,
    examination,
    inclusion_probabilities,
    mean_examination,
)
from grove.sources.marketplace.products import stock


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30), st.integers(1, 12))
def test_inclusion_probabilities_are_probabilities_that_fill_the_page(weights, slots):
    size = min(slots, len(weights))
    chances = inclusion_probabilities(np.array(weights), size)
    assert np.isclose(chances.sum(), size)
    assert chances.min() >= 0
    assert chances.max() <= 1


def test_each_item_is_shown_as_often_as_its_probability_says(small_days):
    display = small_days[0].shop.display
    group = 17
    shifts = np.random.default_rng(1).random(40_000)
    shown = draw_slots(display.results, np.full(len(shifts), group), shifts, width=RESULT_SLOTS)
    counts = np.bincount(shown[shown >= 0], minlength=display.in_results.shape[1])
    members = np.flatnonzero(counts)
    assert np.allclose(counts[members] / len(shifts), display.in_results[0, members], atol=0.01)


def test_no_item_is_twice_on_a_page(small_days):
    display = small_days[0].shop.display
    groups = np.random.default_rng(2).integers(0, 300, 3_000)
    shown = draw_slots(
        display.results, groups, np.random.default_rng(3).random(3_000), width=RESULT_SLOTS
    )
    for row in shown:
        items = row[row >= 0]
        assert len(set(items.tolist())) == len(items)


def test_items_not_sold_in_a_region_or_out_of_stock_are_not_shown(small_days):
    shop = small_days[3].shop
    absent = ~shop.items.sold_in.T | (stock(shop.world, shop.items, 3) == 0)
    assert absent.any()
    assert (shop.display.in_results[absent] == 0).all()
    assert (shop.display.on_shelf[absent] == 0).all()


def test_higher_positions_are_examined_more_often():
    looked_at = examination(np.arange(1, 13))
    assert (np.diff(looked_at) < 0).all()
    assert np.isclose(mean_examination(np.array([3]))[0], looked_at[:3].mean())
    assert mean_examination(np.array([0]))[0] == 0
