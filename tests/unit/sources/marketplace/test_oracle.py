from dataclasses import replace

import numpy as np
import pytest

from grove.sources.marketplace.behaviour import live_through
from grove.sources.marketplace.oracle import click_chances, pair_keys, rank
from grove.sources.marketplace.replay import positive_pairs


def hit_rate(rankings, targets, k=50):
    hits = [
        bool(set(items[:k]) & targets_of)
        for items, targets_of in zip(rankings, targets, strict=True)
    ]
    return sum(hits) / len(hits)


def users_with_targets(day):
    """Users with a new positive event that happened and landed on the day, and their items."""
    pairs = np.setdiff1d(positive_pairs(day.landed[-1]), day.seen)
    targets_of = {}
    for pair in pairs.tolist():
        targets_of.setdefault(pair >> 32, set()).add(pair & 0xFFFFFFFF)
    return np.array(list(targets_of)), list(targets_of.values())


def popular_rankings(day, users):
    counts = np.bincount(day.seen & 0xFFFFFFFF, minlength=len(day.shop.items))
    order = np.argsort(-counts, kind="stable").tolist()
    seen = set(day.seen.tolist())
    return [
        [item for item in order[:400] if (int(user) << 32 | item) not in seen] for user in users
    ]


@pytest.mark.parametrize(("days", "margin"), [("lived_days", 1.2), ("small_days", 3.0)])
def test_the_oracle_beats_popularity_by_far(request, days, margin):
    lived = request.getfixturevalue(days)[-3:]
    oracle, popular = [], []
    for day in lived:
        users, targets_of = users_with_targets(day)
        ranking = rank(day.shop, day.projects, users=users, seen=day.seen, k=100)
        oracle.append(hit_rate(ranking.items.tolist(), targets_of))
        popular.append(hit_rate(popular_rankings(day, users), targets_of))
    assert np.mean(oracle) >= 0.5
    assert np.mean(oracle) > margin * np.mean(popular)


def test_probabilities_agree_with_simulated_frequencies(lived_days):
    """Simulate the same day 600 times; only the draws of the day differ."""
    day = lived_days[5]
    users = np.arange(len(day.shop.users))
    chances = click_chances(day.shop, day.projects, users)
    happened = np.zeros_like(chances)
    for repetition in range(600):
        scene = replace(day.shop.scene, index=1_000 + repetition)
        events, _ = live_through(replace(day.shop, scene=scene), day.projects)
        pairs = positive_pairs(events)
        happened[pairs >> 32, pairs & 0xFFFFFFFF] += 1 / 600
    is_known = day.shop.users.signup_index < day.shop.scene.index  # a signup day has its own rate
    expected, found = chances[is_known].ravel(), happened[is_known].ravel()
    for low, high in ((0.001, 0.01), (0.01, 0.05), (0.05, 0.15), (0.15, 1.0)):
        chosen = (expected >= low) & (expected < high)
        assert chosen.sum() > 20
        assert found[chosen].mean() == pytest.approx(expected[chosen].mean(), rel=0.05)


def test_ranking_leaves_out_seen_items_and_falls(lived_days):
    day = lived_days[5]
    users = np.arange(10)
    free = rank(day.shop, day.projects, users=users, seen=np.empty(0, dtype=np.int64), k=20)
    seen = np.sort(pair_keys(free.users, free.items[:, 0]))
    again = rank(day.shop, day.projects, users=users, seen=seen, k=20)
    assert (np.diff(free.probabilities, axis=1) <= 0).all()
    assert np.array_equal(again.items[:, :19], free.items[:, 1:])


def test_no_users_give_an_empty_ranking(lived_days):
    day = lived_days[0]
    nothing = np.empty(0, dtype=np.int64)
    assert rank(day.shop, day.projects, users=nothing, seen=nothing, k=5).items.shape == (0, 5)
