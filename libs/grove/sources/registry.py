"""Find the sources and open one from plain values.

A module of this package is a source if it declares `SOURCE`, a `SourceKind`. Its name in settings
is that of the module, with hyphens: `amazon_reviews.py` is `amazon-reviews`. The template is none.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

from grove.errors import SettingsError
from grove.sources.source import Source, SourceKind, SourceOptions

_TEMPLATE = "template"


def source_names() -> tuple[str, ...]:
    """Names of all sources, sorted; imports every module of the package."""
    return tuple(sorted(name for name in _module_names() if _declared(name) is not None))


def source_kind(name: str) -> SourceKind:
    """The declaration of a source; imports that source only.

    Raises:
        SettingsError: no module declares a source of this name.
    """
    kind = _declared(name) if name in _module_names() else None
    if kind is None:
        raise SettingsError(
            "unknown source",
            where="settings, source.name",
            expected=f"one of {', '.join(source_names())}",
            found=name,
            next_step="correct the name, or add the source; see libs/grove/sources/template.py",
        )
    return kind


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
        name: one of `source_names`.
        data: folder or file of an outside data set; unused by the simulator.
        size: size of the simulated shop.
        seed: seed of the simulated shop.
        first_day: first day of the simulated shop, or of one that begins later than its data.
        keep_seen_items: whether the simulator's oracle ranks items seen before.

    Raises:
        SettingsError: the name is unknown, or a value the source needs is missing.
    """
    options = SourceOptions(
        data=data, size=size, seed=seed, first_day=first_day, keep_seen_items=keep_seen_items
    )
    return source_kind(name).open(options)


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


def _module_names() -> tuple[str, ...]:
    folder = str(Path(__file__).parent)
    modules = (module.name for module in pkgutil.iter_modules([folder]))
    return tuple(name.replace("_", "-") for name in modules if name != _TEMPLATE)


def _declared(name: str) -> SourceKind | None:
    module = import_module(f"grove.sources.{name.replace('-', '_')}")
    kind: SourceKind | None = getattr(module, "SOURCE", None)
    return kind
