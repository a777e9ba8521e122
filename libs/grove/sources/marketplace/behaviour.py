"""Simulation of one day: visits, sessions, pages, impressions, clicks and later events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
from grove.sources.marketplace.display import (
    RESULT_SLOTS,
    SHELF_SLOTS,
    Display,
    draw_slots,
    examination,
)
from grove.sources.marketplace.draws import Floats, Integers, generator, pick
from grove.sources.marketplace.funnel import EVENT, KINDS, follow_clicks
from grove.sources.marketplace.people import Users, successors
from grove.sources.marketplace.products import Items, prices
from grove.sources.marketplace.queries import draw_queries
from grove.sources.marketplace.scene import Scene
from grove.sources.marketplace.taxonomy import DEVICES
from grove.sources.marketplace.world import World

_MINUTE = 60_000
_HOURS = np.array(
    [1, 1, 1, 1, 1, 2, 4, 7, 8, 8, 8, 9, 11, 10, 8, 8, 9, 11, 13, 15, 16, 13, 0, 0], dtype=float
)
"""Weight of each hour; sessions begin before 22:00, so that even the longest ends on its day."""
_SHARE_LATE = 0.004
_MAIN_DEVICE = 0.85


@dataclass(frozen=True)
class Shop:
    """State of the shop when a day begins."""

    world: World
    items: Items
    users: Users
    scene: Scene
    display: Display


@dataclass(frozen=True)
class _Sessions:
    user: Integers  # [S]
    intent: Integers  # [S] row of World.leaves
    start: Integers  # [S] milliseconds since midnight
    device: Integers  # [S]


@dataclass(frozen=True)
class _Pages:
    session: Integers  # [P]
    user: Integers  # [P]
    intent: Integers  # [P]
    time: Integers  # [P] milliseconds since midnight
    query: Integers  # [P] code of queries.query_texts; -1 when the page is not a search


def live_through(shop: Shop, projects: Integers) -> tuple[NDArray[np.void], Integers]:
    """Simulate a day.

    Args:
        shop: the day's shop.
        projects: [U] int64, each user's last project.

    Returns:
        Events of the day as `funnel.EVENT` records in order of time, and the projects after it.
    """
    random = generator(shop.world.seed, "day", shop.scene.index)
    visitors, projects_after = _visits(shop, projects, random)
    sessions = _sessions(shop, visitors, projects_after, random)
    pages = _pages(shop, sessions, random)
    impressions = _impressions(shop, sessions, pages, random)
    clicked = _clicked(shop, pages, impressions, random)
    events = np.concatenate([impressions, *follow_clicks(impressions[clicked], random)])
    events["delay"] = _delays(events, random)
    return events[np.argsort(events["time"], kind="stable")], projects_after


def _delays(events: NDArray[np.void], random: np.random.Generator) -> Integers:
    """Days until each event lands: a few land after one day, a quarter of those after two."""
    late = random.random(len(events))
    days = (late < _SHARE_LATE).astype(np.int64) + (late < _SHARE_LATE / 4)
    return np.where(events["kind"] == KINDS.index("cancel"), 0, days)


def _visits(
    shop: Shop, projects: Integers, random: np.random.Generator
) -> tuple[Integers, Integers]:
    is_visitor = random.random(len(shop.users)) < visit_probability(shop.users, shop.scene)
    visitors = np.flatnonzero(is_visitor)
    chances = project_probability(
        projects[visitors],
        successors(shop.world),
        taste_today(shop.users, shop.scene, visitors),
    )
    after = projects.copy()
    after[visitors] = pick(chances, random.random(len(visitors)))
    return visitors, after


def _sessions(
    shop: Shop, visitors: Integers, projects: Integers, random: np.random.Generator
) -> _Sessions:
    user = np.repeat(visitors, 1 + pick(SESSIONS, random.random(len(visitors))))
    count = len(user)
    kind = pick(np.array([PROJECT_SHARE, TASTE_SHARE, CURIOUS_SHARE]), random.random(count))
    taste = pick(taste_today(shop.users, shop.scene, user), random.random(count))
    curious = pick(curiosity_today(shop.scene)[shop.users.region[user]], random.random(count))
    hour = pick(_HOURS, random.random(count))
    start = (hour * 60 + 60 * random.random(count)) * _MINUTE
    other = (random.random(count) * len(DEVICES)).astype(np.int64)
    device = np.where(random.random(count) < _MAIN_DEVICE, shop.users.device[user], other)
    return _Sessions(
        user=user,
        intent=np.choose(kind, [projects[user], taste, curious]),
        start=start.astype(np.int64),
        device=device,
    )


def _pages(shop: Shop, sessions: _Sessions, random: np.random.Generator) -> _Pages:
    pages = 1 + pick(PAGES, random.random(len(sessions.user)))
    session = np.repeat(np.arange(len(pages)), pages)
    number = np.arange(len(session)) - np.repeat(np.cumsum(pages) - pages, pages)
    # Each page is looked at for two minutes or more, so pages of a session never overlap.
    time = sessions.start[session] + number * 3 * _MINUTE + random.integers(0, 30_000, len(session))
    user, intent = sessions.user[session], sessions.intent[session]
    return _Pages(
        session=session,
        user=user,
        intent=intent,
        time=time,
        query=draw_queries(shop.world, shop.users, user=user, leaf=intent, random=random),
    )


def _impressions(
    shop: Shop, sessions: _Sessions, pages: _Pages, random: np.random.Generator
) -> NDArray[np.void]:
    """Fill the pages; results and shelf are mixed, each item at a random position."""
    shown, drawn = _slots(shop, pages, random)  # [P, 12] each
    keys = np.where(drawn >= 0, random.random(drawn.shape), 2.0)
    position = np.argsort(np.argsort(keys, axis=1), axis=1) + 1  # [P, 12]
    page, slot = np.nonzero(shown >= 0)
    events = np.zeros(len(page), dtype=EVENT)
    item = shown[page, slot]
    events["user"], events["item"] = pages.user[page], item
    events["page"], events["session"] = page, pages.session[page]
    events["position"] = position[page, slot]
    events["time"] = pages.time[page] + 5 * events["position"]
    events["device"] = sessions.device[pages.session[page]]
    events["query"] = pages.query[page]
    events["price"] = prices(shop.world, shop.items, shop.scene.index)[item]
    return events


def _slots(shop: Shop, pages: _Pages, random: np.random.Generator) -> tuple[Integers, Integers]:
    """Items shown, and items drawn; a shelf item that is also a result leaves its position empty.

    The empty slot still counts as a position (a banner fills it), so that the probability that an
    item is examined does not depend on whether another one was drawn twice.
    """
    region = shop.users.region[pages.user]
    groups = region * len(shop.world.leaves) + pages.intent
    count = len(pages.user)
    results = draw_slots(shop.display.results, groups, random.random(count), width=RESULT_SLOTS)
    shelf = draw_slots(shop.display.shelf, region, random.random(count), width=SHELF_SLOTS)
    drawn = np.concatenate([results, shelf], axis=1)  # [P, 12]
    is_double = (shelf[:, :, None] == results[:, None, :]).any(axis=2)
    return np.concatenate([results, np.where(is_double, -1, shelf)], axis=1), drawn


def _clicked(
    shop: Shop, pages: _Pages, impressions: NDArray[np.void], random: np.random.Generator
) -> NDArray[np.bool_]:
    user, item = impressions["user"], impressions["item"]
    asked_for = shop.items.leaf[item] == pages.intent[impressions["page"]]
    interest: Floats = np.where(
        asked_for, 1.0, shelf_interest(shop.users, shop.items, rows=user, columns=item)
    )
    chance = click_probability(shop.users, shop.items, rows=user, columns=item) * interest
    return random.random(len(user)) < chance * examination(impressions["position"])
