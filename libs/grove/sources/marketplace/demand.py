"""Demand of a user on a day: the probabilities of every choice, shared with the oracle.

A visit has sessions; a session has one intent, a leaf category. It is the user's *project* (an
interest pursued over several visits), a lasting taste, or curiosity. At the start of a visit the
project is sometimes replaced by another, mostly by a category that typically follows it.
"""

from __future__ import annotations

import numpy as np

from grove.sources.marketplace.draws import Floats, Integers
from grove.sources.marketplace.people import Users
from grove.sources.marketplace.products import Items
from grove.sources.marketplace.scene import Scene

PROJECT_SHARE = 0.5
TASTE_SHARE = 0.36
CURIOUS_SHARE = 0.14
"""Shares of sessions whose intent is the project, a lasting taste, or any category."""
PROJECT_ENDS = 0.22
"""Probability that a visit begins with another project than the last one had."""
NEXT_SHARES = (0.5, 0.15)
"""Probability that the new project is the first, the second successor; else a lasting taste."""
SESSIONS = np.array([0.72, 0.22, 0.06])
"""Shares of visits with 1, 2, 3 sessions."""
PAGES = np.array([0.35, 0.35, 0.2, 0.1])
"""Shares of sessions with 1, 2, 3, 4 pages."""
_SIGNUP_DAY_VISIT = 0.9
_MOST_LIKELY_CLICK = 0.8
_CLICK_LEVEL = 0.11
_PRICE_DISLIKE = 0.3
_UNRELATED_INTEREST = 0.12
"""Share of an item's appeal that remains on a shelf, outside the user's lasting tastes."""


def visit_probability(users: Users, scene: Scene) -> Floats:
    """Probability that each user visits that day.

    Returns:
        [U] float; 0 before the signup.
    """
    usual = np.clip(users.visit_rate * scene.activity, 0.0, 0.97)
    today = np.where(users.signup_index == scene.index, _SIGNUP_DAY_VISIT, usual)
    return np.where(users.signup_index <= scene.index, today, 0.0)


def taste_today(users: Users, scene: Scene, rows: Integers) -> Floats:
    """Lasting tastes of some users, weighted by the demand of the day.

    Returns:
        [M, L] float, rows sum to 1.
    """
    wanted = users.tastes[rows] * scene.demand[users.region[rows]]
    return wanted / wanted.sum(axis=1, keepdims=True)


def curiosity_today(scene: Scene) -> Floats:
    """Share of each leaf in the curious sessions of each region; [R, L], rows sum to 1."""
    return scene.demand / scene.demand.sum(axis=1, keepdims=True)


def project_probability(projects: Integers, next_leaves: Integers, taste: Floats) -> Floats:
    """Probability of each project of a visit, given the one before it.

    Args:
        projects: [M] int64, the last project of each user.
        next_leaves: [L, 2] int64, from `people.successors`.
        taste: [M, L] float, from `taste_today`.

    Returns:
        [M, L] float, rows sum to 1.
    """
    rows = np.arange(len(projects))
    chances = PROJECT_ENDS * (1 - sum(NEXT_SHARES)) * taste
    np.add.at(chances, (rows, projects), 1 - PROJECT_ENDS)
    for place, share in enumerate(NEXT_SHARES):
        np.add.at(chances, (rows, next_leaves[projects, place]), PROJECT_ENDS * share)
    return chances


def click_probability(users: Users, items: Items, *, rows: Integers, columns: Integers) -> Floats:
    """Probability that a user who looks at an item, with its category in mind, clicks it.

    Args:
        users: all users.
        items: all items.
        rows: rows of users.
        columns: rows of items; broadcast against `rows`.

    Returns:
        Float of the broadcast shape, at most 0.8.
    """
    distance = users.price_level[rows] - items.price_level[columns]
    appeal = (
        users.style_liking[rows, items.style[columns]]
        + users.brand_liking[rows, items.brand[columns]]
        - _PRICE_DISLIKE * distance**2
        + items.appeal[columns]
    )
    return np.minimum(_CLICK_LEVEL * np.exp(appeal), _MOST_LIKELY_CLICK)


def shelf_interest(users: Users, items: Items, *, rows: Integers, columns: Integers) -> Floats:
    """Share of `click_probability` that remains for an item on a shelf, outside the intent."""
    has_taste = users.tastes[rows, items.leaf[columns]] > 0
    return np.where(has_taste, 1.0, _UNRELATED_INTEREST)
