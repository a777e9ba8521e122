"""Which sources there are, and how to open one from plain values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TypeVar

from grove.errors import SettingsError
from grove.sources.amazon_reviews import AmazonReviews
from grove.sources.marketplace import Marketplace
from grove.sources.marketplace.world import SIZES, World
from grove.sources.online_retail import OnlineRetail
from grove.sources.source import Source

T = TypeVar("T")

SOURCES = ("marketplace", "online-retail", "amazon-reviews")
"""Names `open_source` knows; a source of one's own is added here (see `grove.sources.template`)."""


def open_source(
    name: str,
    data: str | None = None,
    *,
    size: str = "small",
    seed: int = 7,
    first_day: date | None = None,
    keep_seen_items: bool = False,
) -> Source:
    """Open a source by name.

    Args:
        name: one of `SOURCES`.
        data: folder of an outside data set; unused by the simulator.
        size: size of the simulated shop.
        seed: seed of the simulated shop.
        first_day: first day of the simulated shop, or of one that begins later than its data.
        keep_seen_items: whether the simulator's oracle ranks items seen before.

    Raises:
        SettingsError: the name is unknown, or a value the source needs is missing.
    """
    if name == "marketplace":
        return _open_marketplace(size, seed, first_day, keep_seen_items=keep_seen_items)
    if name == "online-retail":
        return OnlineRetail(_needed("source.data", data, "the folder of the data set"))
    if name == "amazon-reviews":
        return AmazonReviews(_needed("source.data", data, "the folder of the data set"), first_day)
    raise SettingsError(
        "unknown source",
        where="settings, source.name",
        expected=f"one of {', '.join(SOURCES)}",
        found=name,
        next_step="correct the name, or add the source to grove.sources.registry",
    )


def require_feeds(source: Source, declared: Sequence[str]) -> None:
    """Check that a source has every feed the settings declare.

    Raises:
        SettingsError: a declared feed is one the source does not have.
    """
    absent = [feed for feed in declared if feed not in source.feeds]
    if absent:
        raise SettingsError(
            "a declared feed does not exist",
            where="settings, source.feeds",
            expected=f"feeds of {source.name}: {', '.join(source.feeds)}",
            found=", ".join(absent),
            next_step="declare only feeds the source has",
        )


def require_days(source: Source, days: Sequence[date]) -> None:
    """Check that a source knows some days.

    Raises:
        SettingsError: a day lies outside `days_available`.
    """
    first, last = source.days_available()
    unknown = [day for day in days if day < first or (last is not None and day > last)]
    if unknown:
        raise SettingsError(
            "the source does not have this day",
            where=f"source {source.name}",
            expected=f"days from {first} to {last}" if last else f"days from {first} on",
            found=f"{len(unknown)} others, {min(unknown)} to {max(unknown)}",
            next_step="land days of the source, or correct source.first_day",
        )


def _open_marketplace(
    size: str, seed: int, first_day: date | None, *, keep_seen_items: bool
) -> Marketplace:
    if size not in SIZES:
        raise SettingsError(
            "unknown size of the marketplace",
            where="settings, source.size",
            expected=f"one of {', '.join(SIZES)}",
            found=size,
            next_step="correct the size",
        )
    # A first day that moved with the day landed would give each day another shop.
    known = _needed("source.first_day", first_day, "the first day of the simulated shop")
    return Marketplace(World(seed, SIZES[size], known), keep_seen_items=keep_seen_items)


def _needed(setting: str, value: T | None, meaning: str) -> T:
    if value is None:
        raise SettingsError(
            "a setting is missing",
            where=f"settings, {setting}",
            expected=meaning,
            found="nothing",
            next_step=f"set {setting}",
        )
    return value
