"""`make check-landing`: one day, landed or taken from a collector, and what became of its rows."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from grove.datasets import Layout
from grove.errors import DATA_EXIT_CODE, DataError
from grove.runtime.landing import LandedFeed, Marker, write_marker
from infra.local.landing_check import CheckRequest, check_landing

pytestmark = [pytest.mark.spark, pytest.mark.slow]

DAY = date(2011, 11, 18)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landing zone of a collector: nine good events, one broken, and an unknown column."""
    zone = tmp_path_factory.mktemp("collector")
    layout = Layout(str(zone))
    folder = Path(layout.landing_feed("events", DAY))
    folder.mkdir(parents=True)
    events = [
        {
            "event_id": f"e{number}",
            "event_type": "order",
            "user_id": f"u{number % 3}",
            "item_id": f"i{number}",
            "event_time": f"{DAY}T08:00Z",
            "title": f"[b]Mug[/b] {number}",
            "campaign": "x",
        }
        for number in range(9)
    ]
    lines = [json.dumps(event) for event in events]
    (folder / "a.ndjson").write_text("\n".join([*lines, "{broken [/b]"]))
    write_marker(layout, Marker(day=DAY, feeds={"events": LandedFeed(files=1, rows=10)}))
    return zone / "landing"


def request(tmp_path: Path, landing: Path) -> CheckRequest:
    """A check of a shop that has only events; the data is not read."""
    return CheckRequest(source="online-retail", day=DAY, data=str(tmp_path), landing=str(landing))


def test_a_day_of_a_collector_is_shown_row_by_row(
    tmp_path: Path, collected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        check_landing(tmp_path / "home", request(tmp_path, collected))
        shown = capsys.readouterr().out
        assert "events a.ndjson line 10, malformed: {broken [/b]" in shown
        assert "campaign" in shown
        assert "quarantined_share_warn" in shown
        assert f"{DAY} of online-retail would be accepted" in shown


def test_a_day_that_would_be_rejected_or_cannot_be_read(
    tmp_path: Path, collected: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(str(collected.parent))
    write_marker(layout, Marker(day=DAY, feeds={"events": LandedFeed(files=1, rows=11)}))
    with pytest.raises(DataError, match="would be rejected"):
        check_landing(tmp_path / "home", request(tmp_path, collected))
    assert "landed_as_announced" in capsys.readouterr().out
    hidden = Path(layout.landing_feed("events", DAY)) / "_b.jsonl"
    hidden.write_text("")
    with pytest.raises(SystemExit) as caught:
        check_landing(tmp_path / "home", request(tmp_path, collected))
    hidden.unlink()
    assert caught.value.code == DATA_EXIT_CODE
    said = capsys.readouterr().err
    assert "_b.jsonl" in said
    assert "next:" in said
    assert "Traceback" not in said


def test_a_landing_zone_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no landing zone"):
        check_landing(tmp_path / "home", request(tmp_path, tmp_path / "nowhere"))
