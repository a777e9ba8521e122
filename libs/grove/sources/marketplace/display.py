"""Content of a page: results of the requested category, and a shelf of new and promoted items.

Items are drawn by systematic sampling (Madow 1949): a comb with teeth one apart, shifted at random,
falls on a line on which each item is as long as its probability of being shown. No item is drawn
twice on a page, and each is shown with exactly its probability, which is what the oracle needs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grove.sources.marketplace.draws import Floats, Integers, uniforms
from grove.sources.marketplace.products import Items, is_new, stock
from grove.sources.marketplace.scene import NO_PROMOTION, Scene
from grove.sources.marketplace.taxonomy import REGIONS
from grove.sources.marketplace.world import World

RESULT_SLOTS = 10
SHELF_SLOTS = 2
_EXAMINED = 1 / (1 + 0.22 * np.arange(RESULT_SLOTS + SHELF_SLOTS))
"""Probability that a user looks at each position of a page, from the top."""
_SHOP_TRUST_IN_APPEAL = 0.6
_NEW_ITEM_BOOST = 1.5


@dataclass(frozen=True)
class Comb:
    """Groups of items laid on one line, each item as long as its probability of being shown."""

    items: Integers  # [E] rows of items, group by group
    ends: Floats  # [E] where each item's stretch of the line ends
    starts: Integers  # [G] where each group's part of the line begins
    slots: Integers  # [G] items of the group on a page


@dataclass(frozen=True)
class Display:
    """Items that may be shown on a day, by region, and how often."""

    results: Comb  # groups: region * leaves + leaf
    shelf: Comb  # groups: region
    in_results: Floats  # [R, N] probability of being among the results of the item's leaf
    on_shelf: Floats  # [R, N] probability of a position on the shelf


def display_of(world: World, items: Items, scene: Scene) -> Display:
    """Work out a day's display; items that are not sold in a region or out of stock are absent."""
    offered = (items.first_index <= scene.index) & (stock(world, items, scene.index) > 0)
    fresh = is_new(items, scene.index)
    weight = np.exp(_SHOP_TRUST_IN_APPEAL * items.appeal) * np.where(fresh, _NEW_ITEM_BOOST, 1.0)
    # The order along the line decides who is shown with whom, so it changes every day.
    order = np.argsort(uniforms(world.seed, "comb", scene.index, shape=(len(items),)))
    result_groups: list[Integers] = []
    shelf_groups: list[Integers] = []
    for region in range(len(REGIONS)):
        here = order[(offered & items.sold_in[:, region])[order]]
        result_groups += [here[items.leaf[here] == leaf] for leaf in range(len(world.leaves))]
        promoted = scene.promotion[region]
        is_promoted = (items.department == promoted) & (promoted != NO_PROMOTION)
        shelf_groups.append(here[fresh[here] | (is_promoted & (items.appeal > 0.5))[here]])
    results, in_results = _comb(result_groups, weight, slots=RESULT_SLOTS)
    shelf, on_shelf = _comb(shelf_groups, weight, slots=SHELF_SLOTS)
    return Display(results, shelf, in_results, on_shelf)


def draw_slots(comb: Comb, groups: Integers, shifts: Floats, *, width: int) -> Integers:
    """Draw the items of some pages.

    Args:
        comb: the groups.
        groups: [P] int64, group of each page.
        shifts: [P] float in [0, 1), how far the comb of each page is shifted.
        width: most slots of a page.

    Returns:
        [P, width] int64, rows of items; -1 where a group has fewer.
    """
    teeth = np.arange(width)
    points = comb.starts[groups][:, None] + shifts[:, None] + teeth  # [P, width]
    found = np.searchsorted(comb.ends, points.ravel(), side="right").reshape(points.shape)
    is_filled = teeth < comb.slots[groups][:, None]
    last = max(len(comb.items) - 1, 0)
    return np.where(is_filled, comb.items[np.minimum(found, last)], -1)


def examination(positions: Integers) -> Floats:
    """Probability that a user looks at positions (1 = top)."""
    return _EXAMINED[positions - 1]


def mean_examination(slots: Integers) -> Floats:
    """Mean probability of being looked at on a page with so many slots; 0 without any."""
    means = np.cumsum(_EXAMINED) / np.arange(1, len(_EXAMINED) + 1)
    return np.where(slots > 0, means[np.maximum(slots, 1) - 1], 0.0)


def _comb(groups: list[Integers], weight: Floats, *, slots: int) -> tuple[Comb, Floats]:
    """Lay groups on a line; also the probabilities per region and item, [R, N]."""
    shown = np.zeros((len(REGIONS), len(weight)))
    per_region = len(groups) // len(REGIONS)
    ends, sizes = [np.empty(0)], []
    start = 0
    for number, members in enumerate(groups):
        size = min(slots, len(members))
        chances = inclusion_probabilities(weight[members], size)
        shown[number // per_region, members] = chances
        stretch = start + np.cumsum(chances)
        stretch[-1:] = start + size  # rounding must not leave a gap before the next group
        ends.append(stretch)
        sizes.append(size)
        start += size
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    comb = Comb(np.concatenate(groups), np.concatenate(ends), starts, np.array(sizes))
    return comb, shown


def inclusion_probabilities(weights: Floats, size: int) -> NDArray[np.float64]:
    """Probabilities in proportion to weights, none above 1, that sum to `size`.

    Example:
        >>> inclusion_probabilities(np.array([1.0, 1.0, 8.0]), 2).tolist()
        [0.5, 0.5, 1.0]
    """
    chances = np.zeros(len(weights))
    is_certain = np.zeros(len(weights), dtype=bool)
    while True:
        free = ~is_certain
        room = size - int(is_certain.sum())
        total = weights[free].sum()
        chances[free] = room * weights[free] / total if total > 0 else 0.0
        chances[is_certain] = 1.0
        above = free & (chances >= 1.0)
        if not above.any():
            return chances
        is_certain |= above
