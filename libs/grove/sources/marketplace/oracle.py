"""Upper bound of a day's ranking: items by their true probability of a positive event.

The oracle knows every item and user as they are (tastes, likings, visit rate), each user's
project as of the last visit, and the day's scene: weather, promotions, events, prices, stock and
what the shop displays. It does not know, and sums over, whether the user visits, how many
sessions and pages there are, whether the project changes, the intent of each session, which items
a page draws, their positions, and whether the user clicks.

When the intent is the item's own leaf, one page gives a click with probability
p₁ = e·a·(r + s − r·s), otherwise p₀ = e·a·s·u: e mean examination, a click probability, r and s the
probabilities of a position among the results and on the shelf, u the interest in what was not asked
for. Pages of a session are independent given its intent, sessions given the project, so that
P(no click in a session) = Σ_intent P(intent) G(1 − p), G the generating function of the number of
pages; likewise for sessions and the visit. Carts and orders follow a click on the same item, so a
click is the first positive event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grove.sources.marketplace.behaviour import Shop
from grove.sources.marketplace.demand import (
    CURIOUS_SHARE,
    PAGES,
    PROJECT_SHARE,
    SESSIONS,
    TASTE_SHARE,
    click_probability,
    curiosity_today,
    project_probability,
    shelf_interest,
    taste_today,
    visit_probability,
)
from grove.sources.marketplace.display import mean_examination
from grove.sources.marketplace.draws import Floats, Integers
from grove.sources.marketplace.people import successors

_CELLS_AT_ONCE = 4_000_000
"""Users times items worked on together; bounds memory."""


@dataclass(frozen=True)
class Ranking:
    """Best items of M users, by rows of users and items."""

    users: Integers  # [M]
    items: Integers  # [M, K]; -1 after the last possible item
    probabilities: Floats  # [M, K], descending


def rank(shop: Shop, projects: Integers, *, users: Integers, seen: Integers, k: int) -> Ranking:
    """Rank items for some users.

    Args:
        shop: the day's shop.
        projects: [U] int64, each user's project before the day.
        users: [M] int64, rows of the users to rank for.
        seen: [S] int64, sorted `pair_keys` to leave out.
        k: items per user.
    """
    chunk = max(1, _CELLS_AT_ONCE // len(shop.items))
    found = [
        _rank_chunk(shop, projects, users=users[start : start + chunk], seen=seen, k=k)
        for start in range(0, len(users), chunk)
    ]
    width = min(k, len(shop.items))
    empty = (np.empty((0, width), dtype=np.int64), np.empty((0, width)))
    items, chances = zip(*found, strict=True) if found else ((empty[0],), (empty[1],))
    return Ranking(users, np.concatenate(items), np.concatenate(chances))


def pair_keys(users: Integers, items: Integers) -> Integers:
    """One number per pair of user and item."""
    return users.astype(np.int64) << 32 | items.astype(np.int64)


def click_chances(shop: Shop, projects: Integers, users: Integers) -> Floats:
    """True probability of at least one click that day.

    Args:
        shop: the day's shop.
        projects: [U] int64, each user's project before the day.
        users: [M] int64, rows of users.

    Returns:
        [M, N] float.
    """
    leaf = shop.items.leaf
    taste = taste_today(shop.users, shop.scene, users)  # [M, L]
    curious = curiosity_today(shop.scene)[shop.users.region[users]]  # [M, L]
    other = (TASTE_SHARE * taste + CURIOUS_SHARE * curious)[:, leaf]  # [M, N]
    project = project_probability(projects[users], successors(shop.world), taste)[:, leaf]
    asked, unasked = (_no_click_in_session(chance) for chance in _page_chances(shop, users))
    visit = visit_probability(shop.users, shop.scene)[users][:, None]  # [M, 1]

    def click_given_share(share: Floats) -> Floats:
        return 1 - _no_click_in_visit(share * asked + (1 - share) * unasked)

    is_project = project * click_given_share(other + PROJECT_SHARE)
    return visit * (is_project + (1 - project) * click_given_share(other))


def _rank_chunk(
    shop: Shop, projects: Integers, *, users: Integers, seen: Integers, k: int
) -> tuple[Integers, Floats]:
    chances = click_chances(shop, projects, users)
    keys = pair_keys(users[:, None], np.arange(len(shop.items))[None, :])
    place = np.searchsorted(seen, keys)
    if len(seen):
        chances[seen[np.minimum(place, len(seen) - 1)] == keys] = 0.0
    best = np.argsort(-chances, axis=1, kind="stable")[:, :k]  # [M, K]
    highest = np.take_along_axis(chances, best, axis=1)
    return np.where(highest > 0, best, -1), highest


def _page_chances(shop: Shop, users: Integers) -> tuple[Floats, Floats]:
    """Probability of a click on one page, with and without the item's leaf as intent; [M, N]."""
    display, items = shop.display, shop.items
    region = shop.users.region[users]
    columns = np.arange(len(items))[None, :]
    rows = users[:, None]
    appeal = click_probability(shop.users, items, rows=rows, columns=columns)
    in_results, on_shelf = display.in_results[region], display.on_shelf[region]
    shelf_slots = display.shelf.slots[region][:, None]  # [M, 1]
    group = region[:, None] * len(shop.world.leaves) + items.leaf[None, :]  # [M, N]
    asked = mean_examination(display.results.slots[group] + shelf_slots)
    # With another intent, the page is another leaf's, of full width but for small shops.
    usual = np.median(display.results.slots.reshape(len(display.in_results), -1), axis=1)
    unasked = mean_examination(usual.astype(np.int64)[region][:, None] + shelf_slots)
    interest = shelf_interest(shop.users, items, rows=rows, columns=columns)
    shown = in_results + on_shelf - in_results * on_shelf
    return asked * appeal * shown, unasked * appeal * on_shelf * interest


def _no_click_in_session(page_chance: Floats) -> Floats:
    return _generating_function(PAGES, 1 - page_chance)


def _no_click_in_visit(no_click_in_session: Floats) -> Floats:
    return _generating_function(SESSIONS, no_click_in_session)


def _generating_function(shares: Floats, base: Floats) -> Floats:
    """Σ_n shares[n−1] · baseⁿ: probability of no click in n tries, n drawn by `shares`."""
    total = np.zeros_like(base)
    for share in shares[::-1]:
        total = (total + share) * base
    return total
