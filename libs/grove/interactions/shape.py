"""Shape of a landed feed: which columns it has, how often they are filled, and with what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

CATEGORICAL = frozenset({"event_type", "region", "device"})
"""Columns whose few values rarely change, of any feed; their values are part of the shape.

Weather and promotions are not among them: a new one is news of the day, not of the collector.
"""
MOST_UNKNOWN = 200
"""Unknown fields that a shape names; keys of a map that landed as fields would fill a report."""
MOST_VALUES = 100
"""A column with more values has too many to compare; it then has none in the shape."""


@dataclass(frozen=True, kw_only=True)
class FeedShape:
    """Columns of one feed on one day."""

    rows: int
    filled: Mapping[str, int]
    """Rows with a value, by column of the contract."""
    unknown: tuple[str, ...]
    """Fields that are not in the contract, sorted."""
    values: Mapping[str, tuple[str, ...]]
    """Values of the categorical columns, sorted."""

    @classmethod
    def from_notes(cls, notes: Mapping[str, Any]) -> FeedShape:
        """Read a shape as `as_notes` wrote it."""
        return cls(
            rows=notes["rows"],
            filled=notes["filled"],
            unknown=tuple(notes["unknown"]),
            values={name: tuple(values) for name, values in notes["values"].items()},
        )

    def as_notes(self) -> dict[str, Any]:
        """The shape as a report holds it."""
        return asdict(self)

    def share(self, column: str) -> float:
        """Share of the rows with a value in a column, 0 to 1."""
        return self.filled.get(column, 0) / self.rows if self.rows else 0.0
