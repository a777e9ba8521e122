"""Recommendations from the served release, as tables on the terminal."""

from __future__ import annotations

from grove.datasets import Layout
from grove.runtime.terminal import show_table
from grove.serving import ReleaseReader, open_current_release, query_vector
from grove.serving import recommend as recommend_items

SHOWN_USERS = 3
"""Number of users that are shown when none is named."""


def recommend(layout: Layout, user: str | None, *, k: int, region: str | None, query: str) -> None:
    """Open the served release and show each user's list.

    Args:
        layout: paths of the home.
        user: id; without one, a few users are shown.
        k: items per user.
        region: where the user is; none: of the newest event.
        query: what the user searches for; empty: nothing.
    """
    reader = open_current_release(layout.current_pointer())
    keyword = query_vector(reader.manifest, query)
    known = reader.histories["user_id"].slice(0, SHOWN_USERS).to_pylist()
    for one in [user] if user else known:
        found = recommend_items(reader, one, k=k, region=region, keyword_vector=keyword)
        show_table(
            f"{_title(reader, one)}, release {reader.manifest.release_id}",
            ("item", "title", "price", "found by"),
            [(item.item_id, item.title, item.price, ", ".join(item.found_by)) for item in found],
        )


def _title(reader: ReleaseReader, user: str) -> str:
    return user if reader.history_of(user).num_rows else f"{user} (no history)"
