"""Counts of a feed's rows on a day, by what happened to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class FeedCounts:
    """Rows of one feed that landed on one day.

    Each number is counted independently, at the rows themselves, so that their sum is a check and
    not a definition.
    """

    landed: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Rows per reason."""

    @property
    def rejected(self) -> int:
        """Rows in quarantine, over all reasons."""
        return sum(self.quarantined.values())

    def as_json(self) -> dict[str, Any]:
        """The counts in the form of a report."""
        return {
            "landed": self.landed,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": dict(sorted(self.quarantined.items())),
        }
