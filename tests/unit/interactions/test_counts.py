"""Counts of a feed's rows in a report."""

from __future__ import annotations

from grove.interactions import FeedCounts


def test_counts_are_shown_with_all_reasons() -> None:
    counts = FeedCounts(landed=9, accepted=4, duplicates=1, quarantined={"too_late": 3, "b": 1})
    assert counts.rejected == 3 + 1
    assert counts.as_json() == {
        "landed": 9,
        "accepted": 4,
        "duplicates": 1,
        "quarantined": {"b": 1, "too_late": 3},
    }
