"""Products of the simulated shop: attributes, and price and stock on a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grove.sources.marketplace.draws import Floats, Integers, normals, pick, uniforms
from grove.sources.marketplace.taxonomy import (
    BRANDS_PER_DEPARTMENT,
    COLOURS,
    DEPARTMENTS,
    REGIONS,
    STYLES,
)
from grove.sources.marketplace.world import World

NEW_FOR_DAYS = 7
"""An item is new for this many days."""
_PRICE_DAYS = 14
_STOCK_DAYS = 6
_PRICE_FACTORS = np.array([1.0, 1.0, 1.0, 1.0, 0.9, 0.8])
_OUT_OF_STOCK_SHARE = 0.04
_SOLD_IN_REGION_SHARE = 0.92
_QUALITY_SPREAD = 0.5
"""Standard deviation of an item's own appeal, in log units; makes some items popular."""


@dataclass(frozen=True)
class Items:
    """Attributes of N items, by row; rows are in the order in which items were added."""

    leaf: Integers  # [N] row of World.leaves
    department: Integers  # [N]
    noun: Integers  # [N]
    brand: Integers  # [N] row of BRANDS
    style: Integers  # [N]
    material: Integers  # [N]
    colour: Integers  # [N]
    price_level: Floats  # [N] log price against the leaf's median, in standard deviations
    base_price: Floats  # [N] in currency
    appeal: Floats  # [N] own appeal, in log units
    sold_in: NDArray[np.bool_]  # [N, R]
    first_index: Integers  # [N] day index on which the item was first seen; may be negative

    def __len__(self) -> int:
        return len(self.leaf)


def draw_items(world: World, count: int) -> Items:
    """Draw the first `count` items; a larger count only adds rows at the end."""
    leaf = _leaves(world, count)
    department = np.array([entry.department for entry in world.leaves])[leaf]
    price_level = normals(world.seed, "item price", shape=(count,))
    median = np.array([entry.price for entry in world.leaves])[leaf]
    sold_in = uniforms(world.seed, "item region", shape=(count, len(REGIONS)))
    return Items(
        leaf=leaf,
        department=department,
        noun=_choice(world, "noun", np.array([len(entry.nouns) for entry in world.leaves])[leaf]),
        brand=department * BRANDS_PER_DEPARTMENT + _brands(world, leaf),
        style=_choice(world, "style", np.full(count, len(STYLES))),
        material=_choice(
            world, "material", np.array([len(d.materials) for d in DEPARTMENTS])[department]
        ),
        colour=_choice(world, "colour", np.full(count, len(COLOURS))),
        price_level=price_level,
        base_price=np.maximum(np.round(median * np.exp(0.45 * price_level)), 2.0) - 0.05,
        appeal=_QUALITY_SPREAD * normals(world.seed, "item appeal", shape=(count,)),
        sold_in=_somewhere(sold_in < _SOLD_IN_REGION_SHARE),
        first_index=_first_indices(world, count),
    )


def prices(world: World, items: Items, index: int) -> Floats:
    """Price of each item on a day; it changes at most every 14 days.

    Returns:
        [N] float, in currency, cents rounded.
    """
    draws = _by_epoch(world, "price epoch", len(items), index=index, length=_PRICE_DAYS)
    factors = _PRICE_FACTORS[(draws * len(_PRICE_FACTORS)).astype(int)]
    return np.round(items.base_price * factors, 2)


def stock(world: World, items: Items, index: int) -> Integers:
    """Pieces in stock on a day, counted every 6 days; 0 = out of stock.

    In its first week an item is always in stock.
    """
    draws = _by_epoch(world, "stock epoch", len(items), index=index, length=_STOCK_DAYS)
    pieces = np.ceil(400 * (draws - _OUT_OF_STOCK_SHARE) ** 2).astype(np.int64) + 1
    is_out = (draws < _OUT_OF_STOCK_SHARE) & ~is_new(items, index)
    return np.where(is_out, 0, pieces)


def is_new(items: Items, index: int) -> NDArray[np.bool_]:
    """Whether each item was first seen within the last week."""
    age = index - items.first_index
    return (age >= 0) & (age < NEW_FOR_DAYS)


def _leaves(world: World, count: int) -> Integers:
    # Some categories are broader than others, by a factor of up to four.
    breadth = 0.5 + 1.5 * uniforms(world.seed, "leaf breadth", shape=(len(world.leaves),))
    return pick(breadth, uniforms(world.seed, "item leaf", shape=(count,)))


def _brands(world: World, leaf: Integers) -> Integers:
    shares = uniforms(
        world.seed, "leaf brand", shape=(len(world.leaves), BRANDS_PER_DEPARTMENT)
    )  # [L, B]
    return pick(shares[leaf] ** 2, uniforms(world.seed, "item brand", shape=(len(leaf),)))


def _choice(world: World, attribute: str, options: Integers) -> Integers:
    """Draw one of `options[n]` values per item; the first values are likelier."""
    draws = uniforms(world.seed, f"item {attribute}", shape=(len(options),))
    return (options * draws**1.3).astype(np.int64)


def _somewhere(sold_in: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """An item sold nowhere is sold everywhere."""
    return sold_in | ~sold_in.any(axis=1, keepdims=True)


def _first_indices(world: World, count: int) -> Integers:
    age = uniforms(world.seed, "item age", shape=(count,))
    before = -1 - (400 * age).astype(np.int64)
    added = np.arange(count) - world.size.items  # 0 for the first item added on day 1
    return np.where(added < 0, before, 1 + added // world.size.new_items_per_day)


def _by_epoch(world: World, purpose: str, count: int, *, index: int, length: int) -> Floats:
    """One draw per item that stays for `length` days and changes on the item's own day."""
    phase = np.arange(count) * 5 % length
    epoch = (index + phase) // length
    draws = np.empty(count)
    for number in np.unique(epoch).tolist():
        rows = epoch == number
        draws[rows] = uniforms(world.seed, purpose, number, shape=(count,))[rows]
    return draws
