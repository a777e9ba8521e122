from collections import namedtuple
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grove.runtime import landing_writer
from grove.runtime.landing import feed_files, marker_exists, read_marker
from grove.runtime.landing_writer import land_closed_day, land_open_day, write_feed

Content = namedtuple("Content", ["files", "rows", "left_out"])


def test_a_day_lands_whole(layout, day):
    truth = pa.table({"user_id": ["u1"]})
    content = Content(iter([b"{}\n{}\n", b"{}\n"]), 3, {"non_product": 2})

    marker = land_open_day(layout, day, {"events": content}, truth=truth)

    assert read_marker(layout, day) == marker
    assert (marker.feeds["events"].files, marker.feeds["events"].rows) == (2, 3)
    assert marker.feeds["events"].left_out == {"non_product": 2}
    assert [Path(path).name for path in feed_files(layout, "events", day)] == [
        "part-00000.jsonl",
        "part-00001.jsonl",
    ]
    assert pq.read_table(layout.truth(day)).equals(truth)


def test_fewer_files_replace_more(layout, day):
    write_feed(layout, "events", day, [b"a\n", b"b\n"])
    assert write_feed(layout, "events", day, [b"c\n"]) == 1
    (path,) = feed_files(layout, "events", day)
    assert Path(path).read_bytes() == b"c\n"


def test_a_landing_that_breaks_off_leaves_no_marker(layout, day):
    def files():
        yield b"{}\n"
        raise OSError("gone")

    land_open_day(layout, day, {})
    with pytest.raises(OSError, match="gone"):
        land_open_day(layout, day, {"events": Content(files(), 1, {})})
    assert not marker_exists(layout, day)


def test_a_closed_day_has_a_marker_with_its_reason(layout, day):
    land_closed_day(layout, day, "holiday")
    marker = read_marker(layout, day)
    assert marker.closed
    assert marker.reason == "holiday"
    assert marker.feeds == {}


def test_closing_a_day_deletes_its_landed_files(layout, day, monkeypatch):
    content = Content([b"{}\n"], 1, {})
    land_open_day(layout, day, {"events": content, "users": content}, truth=pa.table({"a": [1]}))
    written = landing_writer.write_marker

    def after_the_files(layout, marker):
        assert not marker_exists(layout, day)  # no job may read the old marker meanwhile
        assert feed_files(layout, "events", day) == feed_files(layout, "users", day) == []
        written(layout, marker)

    monkeypatch.setattr(landing_writer, "write_marker", after_the_files)
    land_closed_day(layout, day, "holiday")
    assert read_marker(layout, day).closed
    assert not Path(layout.truth(day)).exists()


def test_a_feed_that_is_not_landed_again_does_not_stay(layout, day):
    content = Content([b"{}\n"], 1, {})
    land_open_day(layout, day, {"events": content, "users": content})
    land_open_day(layout, day, {"events": content})
    assert feed_files(layout, "events", day)
    assert feed_files(layout, "users", day) == []
