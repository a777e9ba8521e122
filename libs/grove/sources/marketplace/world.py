"""Identity of a simulated shop: seed, size and first day, from which everything else follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from grove.sources.marketplace.taxonomy import Leaf, leaves_of_size


@dataclass(frozen=True, kw_only=True)
class Size:
    """Size of the shop on its first day, and its growth."""

    items: int
    users: int
    leaves: int
    """Leaf categories in use."""
    new_items_per_day: int
    new_users_per_day: int
    oracle_users: int
    """Most users ranked by the oracle per day, drawn from the seed and the day."""
    lines_per_file: int = 20_000


SIZES = {
    "tiny": Size(
        items=150, users=140, leaves=12, new_items_per_day=1, new_users_per_day=1,
        oracle_users=20_000,
    ),
    "small": Size(
        items=2_000, users=2_000, leaves=60, new_items_per_day=6, new_users_per_day=8,
        oracle_users=20_000,
    ),
    "medium": Size(
        items=6_000, users=7_000, leaves=60, new_items_per_day=20, new_users_per_day=30,
        oracle_users=5_000, lines_per_file=100_000,
    ),
    "large": Size(
        items=40_000, users=180_000, leaves=60, new_items_per_day=150, new_users_per_day=900,
        oracle_users=2_000, lines_per_file=500_000,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class World:
    """One simulated shop."""

    seed: int
    size: Size
    first_day: date

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """Leaf categories in use."""
        return leaves_of_size(self.size.leaves)

    def date_of(self, index: int) -> date:
        """Date of the day with this index; the first day has index 0."""
        return self.first_day + timedelta(days=index)

    def index_of(self, day: date) -> int:
        """Index of a date; negative before the first day."""
        return (day - self.first_day).days

    def items_known(self, index: int) -> int:
        """Items in the catalogue on a day."""
        return self.size.items + self.size.new_items_per_day * max(index, 0)

    def users_known(self, index: int) -> int:
        """Users signed up by a day."""
        return self.size.users + self.size.new_users_per_day * max(index, 0)
