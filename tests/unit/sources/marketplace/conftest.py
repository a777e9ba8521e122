"""A tiny shop, simulated in order; each day is simulated once for all tests."""

from datetime import date

import pytest

from grove.sources.marketplace import Marketplace
from grove.sources.marketplace.replay import beginning, live
from grove.sources.marketplace.world import SIZES, World

FIRST_DAY = date(2026, 10, 20)


@pytest.fixture(scope="session")
def world():
    return World(7, SIZES["tiny"], FIRST_DAY)


@pytest.fixture(scope="session")
def small_world():
    return World(7, SIZES["small"], FIRST_DAY)


def _days(world, count):
    lived, before = [], beginning()
    for _ in range(count):
        lived.append(live(world, before))
        before = lived[-1].after
    return lived


@pytest.fixture(scope="session")
def lived_days(world):
    return _days(world, 12)


@pytest.fixture(scope="session")
def small_days(small_world):
    return _days(small_world, 10)


@pytest.fixture
def shop_source(world):
    return Marketplace(world)
