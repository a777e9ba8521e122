"""What became of the rows of one feed on one day; nothing is lost without being counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class FeedCounts:
    """Rows of one feed that landed on one day.

    Each number is counted where its rows are, and none is computed from the others: that they
    add up is a promise to be checked, not a definition.
    """

    landed: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    """Rows per reason."""

    @property
    def refused(self) -> int:
        """Rows in quarantine, whatever the reason."""
        return sum(self.quarantined.values())

    def as_json(self) -> dict[str, Any]:
        """The counts as a report shows them."""
        return {
            "landed": self.landed,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": dict(sorted(self.quarantined.items())),
        }
