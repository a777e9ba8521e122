"""Scene of a day: weather, promotions and calendar events, and their effect on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from grove.sources.marketplace.draws import Floats, Integers, normals, pick, uniforms
from grove.sources.marketplace.taxonomy import DEPARTMENTS, REGIONS, WEATHERS
from grove.sources.marketplace.world import World

NO_PROMOTION = -1
_PROMOTION_PULL = 1.5
_WEATHER_PULL = 1.6
_WEEKDAY_ACTIVITY = (0.95, 0.95, 1.0, 1.0, 1.05, 1.15, 1.2)
# (name, first month and day, last month and day, how much more people visit)
_EVENTS = (
    ("new_year_sale", (1, 1), (1, 7), 1.1),
    ("valentines", (2, 9), (2, 14), 1.05),
    ("spring_days", (4, 10), (4, 17), 1.05),
    ("summer_sale", (7, 1), (7, 14), 1.1),
    ("back_to_school", (8, 20), (9, 5), 1.05),
    ("singles_day", (11, 11), (11, 11), 1.2),
    ("christmas_season", (12, 1), (12, 24), 1.15),
)


@dataclass(frozen=True)
class Scene:
    """One day, seen by every region."""

    index: int
    weather: Integers  # [R] row of WEATHERS
    temperature_celsius: Floats  # [R]
    promotion: Integers  # [R] row of DEPARTMENTS, or NO_PROMOTION
    calendar_event: str | None
    demand: Floats  # [R, L] factor of each leaf's demand; 1 = as usual
    activity: float
    """Factor of the number of visits; 1 = as usual."""


def scene_of(world: World, index: int) -> Scene:
    """Draw the scene of a day."""
    day = world.date_of(index)
    weather, temperature = _weather(world, day)
    promotion = _promotions(world, day)
    event, event_activity = _calendar_event(day)
    return Scene(
        index=index,
        weather=weather,
        temperature_celsius=temperature,
        promotion=promotion,
        calendar_event=event,
        demand=_demand(world, day, weather, promotion),
        activity=_WEEKDAY_ACTIVITY[day.weekday()] * event_activity,
    )


def promotion_name(department: int) -> str | None:
    """Name of a promotion, as events and the context feed carry it."""
    return None if department == NO_PROMOTION else f"{DEPARTMENTS[department].name} days"


def _weather(world: World, day: date) -> tuple[Integers, Floats]:
    season = -np.cos(2 * np.pi * (day.timetuple().tm_yday - 15) / 365)  # -1 in January
    # Three days share draws, so weather lasts; neighbouring regions stay independent.
    noise = sum(
        normals(world.seed, "temperature", day.toordinal() - back, shape=(len(REGIONS),))
        for back in range(3)
    )
    temperature = np.round(11 + 11 * season + np.array([-3, 3, 0, 0, 1]) + 2.2 * noise, 1)
    draws = uniforms(world.seed, "weather", day.toordinal(), shape=(len(REGIONS),))
    weather = pick(np.array([0.4, 0.3, 0.3]), draws)  # sunny, cloudy, rain
    weather = np.where((weather == 2) & (temperature < 1), WEATHERS.index("snow"), weather)
    return np.where(temperature > 26, WEATHERS.index("heat"), weather), temperature


def _promotions(world: World, day: date) -> Integers:
    """From Thursday to Sunday most regions promote one department."""
    if day.weekday() < 3:
        return np.full(len(REGIONS), NO_PROMOTION)
    week = day.toordinal() - day.weekday()  # its Monday
    has_one = uniforms(world.seed, "promotion", week, shape=(len(REGIONS),)) < 0.7
    which = uniforms(world.seed, "promoted", week, shape=(len(REGIONS),)) * len(DEPARTMENTS)
    return np.where(has_one, which.astype(np.int64), NO_PROMOTION)


def _calendar_event(day: date) -> tuple[str | None, float]:
    thanksgiving_friday = _fourth_friday_of_november(day.year)
    if timedelta(0) <= day - thanksgiving_friday <= timedelta(days=3):
        return "black_friday", 1.25
    for name, first, last, activity in _EVENTS:
        if first <= (day.month, day.day) <= last:
            return name, activity
    return None, 1.0


def _fourth_friday_of_november(year: int) -> date:
    first = date(year, 11, 1)
    return first + timedelta(days=(4 - first.weekday()) % 7 + 21)


def _demand(world: World, day: date, weather: Integers, promotion: Integers) -> Floats:
    peak = np.array([leaf.peak_month for leaf in world.leaves])  # [L]
    wave = np.cos(2 * np.pi * (day.month + day.day / 31 - 0.5 - peak) / 12)
    season = np.where(peak == 0, 1.0, np.exp(0.5 * wave))  # [L]
    liked = np.array([[leaf.weather == name for leaf in world.leaves] for name in WEATHERS])
    department = np.array([leaf.department for leaf in world.leaves])
    by_weather = np.where(liked[weather], _WEATHER_PULL, 1.0)  # [R, L]
    by_promotion = np.where(department == promotion[:, None], _PROMOTION_PULL, 1.0)  # [R, L]
    return season * by_weather * by_promotion
