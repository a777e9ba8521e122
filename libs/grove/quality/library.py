"""Import of Great Expectations without the modules that no check needs."""

from __future__ import annotations

import sys
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType

POSTPONED = "scipy.stats"
"""Takes two of the import's five seconds; only expectations about distributions need it."""


def import_great_expectations() -> ModuleType:
    """Import Great Expectations; `scipy.stats` loads at its first use, if any.

    The gate of every stage runs in its own process, so a day repeats this import a dozen times.

    Returns:
        The module `great_expectations`.
    """
    if POSTPONED not in sys.modules:
        _postpone(POSTPONED)
    import great_expectations

    return great_expectations


def _postpone(name: str) -> None:
    """Register a module whose code runs at the first access to one of its attributes."""
    spec = find_spec(name)
    if spec is None or spec.loader is None:
        return
    spec.loader = LazyLoader(spec.loader)
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, module)
