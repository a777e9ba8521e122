"""The landing zone: files of a day and feed, and the marker that says they are all there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from grove.datasets import Layout
from grove.errors import DataError
from grove.runtime.landing import (
    LandedFeed,
    Marker,
    feed_files,
    marker_exists,
    read_marker,
    write_marker,
)

DAY = date(2026, 8, 20)


@pytest.fixture
def zone(tmp_path):
    return Layout(str(tmp_path))


def test_a_marker_reads_back_as_it_was_written(zone):
    marker = Marker(day=DAY, feeds={"events": LandedFeed(files=2, rows=12345)})
    write_marker(zone, marker)
    assert marker_exists(zone, DAY)
    assert read_marker(zone, DAY) == marker
    assert not read_marker(zone, DAY).closed


def test_a_closed_day_keeps_its_reason(zone):
    write_marker(zone, Marker(day=DAY, calendar="closed", reason="no trade on Saturdays"))
    assert read_marker(zone, DAY).closed
    assert read_marker(zone, DAY).reason == "no trade on Saturdays"


def test_a_day_without_marker_has_not_landed(zone):
    assert not marker_exists(zone, DAY)
    with pytest.raises(DataError, match="the day has not landed"):
        read_marker(zone, DAY)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"day": "2026-08-21"}',
        '{"day": "2026-08-20", "calendar": "half-open"}',
        '{"day": "2026-08-20", "feeds": {"events": {"files": 1}}}',
        '{"day": "2026-08-20", "feeds": ["events"]}',
    ],
)
def test_a_malformed_marker_is_a_data_error(zone, text):
    path = Path(zone.landing_marker(DAY))
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(DataError, match="malformed"):
        read_marker(zone, DAY)


def test_every_finished_file_is_the_feeds_whatever_its_name(zone):
    folder = Path(zone.landing_feed("events", DAY))
    folder.mkdir(parents=True)
    for name in ("part-00001.jsonl", "part-00000.jsonl", "part-00002.jsonl.tmp", "README"):
        (folder / name).write_text("")
    names = [Path(path).name for path in feed_files(zone, "events", DAY)]
    # `grove.landed` refuses by name what it cannot read.
    assert names == ["README", "part-00000.jsonl", "part-00001.jsonl"]
    assert feed_files(zone, "users", DAY) == []
