"""Users: region, lasting tastes, and the project they pursue over several days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grove.sources.marketplace.draws import Floats, Integers, normals, pick, uniforms
from grove.sources.marketplace.taxonomy import (
    AGE_BANDS,
    BRANDS,
    DEPARTMENTS,
    REGION_SHARES,
    STYLES,
    brands_of,
)
from grove.sources.marketplace.world import World

TASTES = 5
"""Most leaf categories a user has a lasting taste for; the least is two."""
_BRAND_PULL = 0.8
_STYLE_PULL = 0.9


@dataclass(frozen=True)
class Users:
    """Attributes of U users, by row; rows are in the order in which users signed up."""

    region: Integers  # [U]
    device: Integers  # [U] the device used most
    age_band: Integers  # [U]
    tastes: Floats  # [U, L] shares of lasting taste, rows sum to 1
    brand_liking: Floats  # [U, B] log units
    style_liking: Floats  # [U, S] log units
    price_level: Floats  # [U] preferred Items.price_level
    visit_rate: Floats  # [U] probability of a visit on an ordinary day
    signup_index: Integers  # [U] day index; may be negative

    def __len__(self) -> int:
        return len(self.region)


def draw_users(world: World, count: int) -> Users:
    """Draw the first `count` users; a larger count only adds rows at the end."""
    seed = world.seed
    return Users(
        region=pick(np.array(REGION_SHARES), uniforms(seed, "user region", shape=(count,))),
        device=pick(np.array([0.6, 0.3, 0.1]), uniforms(seed, "user device", shape=(count,))),
        age_band=(len(AGE_BANDS) * uniforms(seed, "user age", shape=(count,))).astype(np.int64),
        tastes=_tastes(world, count),
        brand_liking=_brand_liking(world, count),
        style_liking=_style_liking(world, count),
        price_level=normals(seed, "user price", shape=(count,)),
        visit_rate=0.12 + 0.75 * uniforms(seed, "user rate", shape=(count,)) ** 1.2,
        signup_index=_signup_indices(world, count),
    )


def successors(world: World) -> Integers:
    """Leaf categories that follow each one, once its project is finished.

    The first is the next one of the same department, the second any other one: who bought a tent
    looks for a sleeping bag. No feed states this; only the sequences of events show it.

    Returns:
        [L, 2] int64, rows of `World.leaves`.
    """
    count = len(world.leaves)
    department = np.array([leaf.department for leaf in world.leaves])
    near = np.arange(count)
    for row in range(len(DEPARTMENTS)):
        members = np.flatnonzero(department == row)
        near[members] = np.roll(members, -1)
    far = (np.arange(count) + 1 + (count - 1) * uniforms(world.seed, "far", shape=(count,))) % count
    return np.stack([near, far.astype(np.int64)], axis=1)


def favourite_brand(users: Users, department: Integers, rows: Integers) -> Integers:
    """Row of `BRANDS` each of these users likes best in a department; [M] int64."""
    offered = np.array([list(brands_of(row)) for row in range(len(DEPARTMENTS))])  # [D, 12]
    columns = offered[department]  # [M, 12]
    best = users.brand_liking[rows[:, None], columns].argmax(axis=1)
    return columns[np.arange(len(rows)), best]


def _tastes(world: World, count: int) -> Floats:
    """Two to five leaves per user, mostly of two departments, with decreasing shares."""
    seed, leaves = world.seed, len(world.leaves)
    wanted = 0.5 + uniforms(seed, "leaf demand", shape=(leaves,))  # [L] some sell better
    department = np.array([leaf.department for leaf in world.leaves])
    home = uniforms(seed, "user departments", shape=(count, len(DEPARTMENTS)))
    is_home = home >= np.sort(home, axis=1)[:, -2:-1]  # [U, departments], two per user
    weight = wanted * np.where(is_home[:, department], 6.0, 1.0)  # [U, L]
    # Largest keys of log(u) / weight are a draw without replacement in proportion to weight.
    keys = np.log(uniforms(seed, "user taste", shape=(count, leaves))) / weight
    ranked = np.argsort(-keys, axis=1)[:, :TASTES]  # [U, 5]
    kept = 2 + (4 * uniforms(seed, "user tastes", shape=(count,))).astype(int)
    shares = 0.7 ** np.arange(TASTES) * (np.arange(TASTES) < kept[:, None])  # [U, 5]
    tastes = np.zeros((count, leaves))
    np.put_along_axis(tastes, ranked, shares, axis=1)
    return tastes / tastes.sum(axis=1, keepdims=True)


def _brand_liking(world: World, count: int) -> Floats:
    return _BRAND_PULL * normals(world.seed, "user brand", shape=(count, len(BRANDS)))


def _style_liking(world: World, count: int) -> Floats:
    return _STYLE_PULL * normals(world.seed, "user style", shape=(count, len(STYLES)))


def _signup_indices(world: World, count: int) -> Integers:
    age = uniforms(world.seed, "user signup", shape=(count,))
    before = -1 - (700 * age).astype(np.int64)
    added = np.arange(count) - world.size.users
    return np.where(added < 0, before, 1 + added // world.size.new_users_per_day)
