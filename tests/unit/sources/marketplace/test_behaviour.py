import numpy as np

from grove.sources.marketplace.funnel import KINDS
from grove.sources.marketplace.products import stock
from grove.sources.marketplace.replay import DAY_MILLISECONDS

IMPRESSION, CLICK, CART, ORDER, CANCEL = range(len(KINDS))


def made(lived):
    return np.concatenate([day.after.events[-1] for day in lived])


def times_by_place(events, kind):
    chosen = events[events["kind"] == kind]
    places = zip(chosen["page"].tolist(), chosen["item"].tolist(), strict=True)
    return dict(zip(places, chosen["time"].tolist(), strict=True))


def test_each_step_of_the_funnel_follows_the_one_before(small_days):
    events = small_days[0].after.events[-1]
    for earlier, later in ((IMPRESSION, CLICK), (CLICK, CART), (CART, ORDER), (ORDER, CANCEL)):
        before, after = times_by_place(events, earlier), times_by_place(events, later)
        assert after
        assert all(before[place] < time for place, time in after.items())


def test_the_funnel_narrows(small_days):
    counts = np.bincount(made(small_days)["kind"])
    assert counts[IMPRESSION] > 8 * counts[CLICK]
    assert 2 * counts[CART] < counts[CLICK]
    assert counts[CART] > counts[ORDER] > 5 * counts[CANCEL] > 0


def test_clicks_fall_with_the_position(small_days):
    events = made(small_days)
    shown = np.bincount(events["position"][events["kind"] == IMPRESSION], minlength=13)[1:13]
    clicked = np.bincount(events["position"][events["kind"] == CLICK], minlength=13)[1:13]
    rate = clicked / shown
    assert rate[0] > 2 * rate[9]
    assert rate[:3].mean() > rate[3:6].mean() > rate[6:10].mean()


def test_a_small_day_has_the_size_it_should(small_days):
    for day in small_days:
        events = day.after.events[-1]
        assert 25_000 <= len(events) <= 45_000
        users = np.unique(events["user"][events["kind"] == CLICK])
        assert 600 <= len(users) <= 1_000


def test_a_tiny_day_has_the_size_it_should(lived_days):
    assert 1_300 <= np.mean([len(day.after.events[-1]) for day in lived_days]) <= 3_500


def test_only_cancellations_happen_after_the_day(small_days):
    events = made(small_days)
    later = events[events["time"] >= DAY_MILLISECONDS]
    assert len(later)
    assert set(later["kind"].tolist()) == {CANCEL}


def test_a_few_events_land_late(small_days):
    landed_late = [len(part) for day in small_days for part in day.landed[:-1]]
    total = sum(len(part) for day in small_days for part in day.landed)
    assert 0.001 < sum(landed_late) / total < 0.01


def test_new_items_are_clicked(small_days):
    day = small_days[-1]
    events = day.after.events[-1]
    clicked = events["item"][events["kind"] == CLICK]
    age = day.shop.scene.index - day.shop.items.first_index[clicked]
    assert (age == 0).sum() >= 1
    assert 0.01 < (age < 7).mean() < 0.2


def test_impressions_respect_stock_and_region(small_days):
    day = small_days[2]
    shop, events = day.shop, day.after.events[-1]
    region = shop.users.region[events["user"]]
    assert shop.items.sold_in[events["item"], region].all()
    assert (stock(shop.world, shop.items, 2)[events["item"]] > 0).all()


def test_users_follow_a_project_over_several_visits(small_days):
    before, after = small_days[4].projects, small_days[5].projects
    stayed = (before == after[: len(before)]).mean()
    assert 0.8 < stayed < 1
