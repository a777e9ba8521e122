from datetime import date

import numpy as np
import pytest

from grove.sources.marketplace.scene import NO_PROMOTION, scene_of
from grove.sources.marketplace.taxonomy import WEATHERS
from grove.sources.marketplace.world import SIZES, World


def scene_on(day, seed=7):
    return scene_of(World(seed, SIZES["small"], day), 0)


@pytest.mark.parametrize(
    ("day", "event"),
    [
        (date(2026, 11, 11), "singles_day"),
        (date(2026, 11, 27), "black_friday"),
        (date(2026, 11, 30), "black_friday"),
        (date(2026, 12, 24), "christmas_season"),
        (date(2026, 10, 3), None),
    ],
)
def test_calendar_events_fall_on_their_dates(day, event):
    assert scene_on(day).calendar_event == event


def test_promotions_last_from_thursday_to_sunday():
    thursday, sunday = scene_on(date(2026, 11, 19)), scene_on(date(2026, 11, 22))
    assert np.array_equal(thursday.promotion, sunday.promotion)
    assert (thursday.promotion != NO_PROMOTION).any()
    assert (scene_on(date(2026, 11, 18)).promotion == NO_PROMOTION).all()


def test_summer_is_warmer_than_winter():
    summer = np.mean([scene_on(date(2026, 7, day)).temperature_celsius for day in range(1, 29)])
    winter = np.mean([scene_on(date(2026, 1, day)).temperature_celsius for day in range(1, 29)])
    assert summer > winter + 10


def test_promoted_and_seasonal_categories_have_more_demand():
    world = World(7, SIZES["small"], date(2026, 11, 19))
    scene = scene_of(world, 0)
    department = np.array([leaf.department for leaf in world.leaves])
    region = int(np.flatnonzero(scene.promotion != NO_PROMOTION)[0])
    promoted = department == scene.promotion[region]
    demand = scene.demand[region]
    assert demand[promoted].mean() > demand[~promoted].mean()
    weathers = {WEATHERS[row] for row in scene.weather}
    assert weathers <= set(WEATHERS)
