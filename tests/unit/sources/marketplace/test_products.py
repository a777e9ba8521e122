import numpy as np

from grove.sources.marketplace.products import draw_items, is_new, prices, stock


def test_a_larger_catalogue_keeps_its_first_items(world):
    few, many = draw_items(world, 150), draw_items(world, 190)
    for name in ("leaf", "brand", "base_price", "appeal", "sold_in", "first_index"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[:150]), name


def test_every_item_is_sold_somewhere_and_costs_something(small_world):
    items = draw_items(small_world, 2_000)
    assert items.sold_in.any(axis=1).all()
    assert not items.sold_in.all()
    assert prices(small_world, items, 3).min() > 0


def test_items_are_added_day_by_day(world):
    items = draw_items(world, world.items_known(5))
    assert (items.first_index[:150] < 0).all()
    assert items.first_index[150:].tolist() == [1, 2, 3, 4, 5]
    assert is_new(items, 5)[150:].all()
    assert not is_new(items, 20)[150:].any()


def test_a_few_prices_and_stocks_change_each_day(small_world):
    items = draw_items(small_world, 2_000)
    price_changes = (prices(small_world, items, 8) != prices(small_world, items, 9)).mean()
    stock_changes = (stock(small_world, items, 8) != stock(small_world, items, 9)).mean()
    assert 0 < price_changes < 0.1
    assert 0.1 < stock_changes < 0.25
    out_of_stock = (stock(small_world, items, 8) == 0).mean()
    assert 0.02 < out_of_stock < 0.06
