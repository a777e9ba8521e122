"""Landed days: a feed that is missing is named, with the place to look at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from grove.errors import DataError
from grove.runtime.landing import LandedFeed, Marker
from grove.stages.landed_days import declared_files

FEEDS = ("events", "catalogue", "users", "context")


def land(layout, day, *feeds):
    for feed in feeds:
        folder = Path(layout.landing_feed(feed, day))
        folder.mkdir(parents=True)
        (folder / "part-00000.jsonl").write_text("{}\n")


def marker(day, *feeds):
    return Marker(day=day, feeds={feed: LandedFeed(files=1, rows=1) for feed in feeds})


def test_every_missing_feed_is_named_with_its_place(layout, day):
    later = day + timedelta(days=1)
    land(layout, day, "events", "catalogue", "context")
    land(layout, later, *FEEDS)
    opened = {day: marker(day, *FEEDS), later: marker(later, *FEEDS[:3])}
    with pytest.raises(DataError) as caught:
        declared_files(layout, FEEDS, opened)
    assert caught.value.what == (
        f"a declared feed has not landed: users of {day}, context of {later}"
    )
    assert caught.value.where == (
        f"{layout.landing_feed('users', day)}, {layout.landing_marker(later)}"
    )
    assert caught.value.found == (
        f"no files of users of {day}; no entry of context in the marker of {later}"
    )


def test_files_come_feed_by_feed_over_all_days(layout, day):
    later = day + timedelta(days=1)
    land(layout, day, *FEEDS)
    land(layout, later, *FEEDS)
    opened = {day: marker(day, *FEEDS), later: marker(later, *FEEDS)}
    found = declared_files(layout, FEEDS, opened)
    assert [landed.feed for landed in found] == list(FEEDS)
    assert [len(landed.files) for landed in found] == [2, 2, 2, 2]
