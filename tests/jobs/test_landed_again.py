"""Days ingested in any order: every event is counted once, and what is stale is named."""

from __future__ import annotations

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from grove.contracts import CheckResult, Verdict
from grove.datasets import HISTORIES, INGESTED, INTERACTIONS, Layout
from grove.runtime.days import gap_days
from grove.runtime.files import read_json
from grove.runtime.landing import LandedFeed, Marker, write_marker
from grove.runtime.tables import partition_days, read_arrow
from grove.stages import ingest_landing as ingestion
from grove.stages.landed_again import stale_days
from jobs import build_histories, ingest_landing

pytestmark = pytest.mark.spark

DAY = date(2026, 8, 20)
BEFORE, NEXT, AFTER = (DAY + timedelta(days=days) for days in (-1, 1, 2))
Ingest = Callable[..., None]


def event(number: int, happened: date = DAY, item: str = "i0") -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "event_type": "click",
        "user_id": "u1",
        "item_id": item,
        "event_time": f"{happened}T08:00:{number % 60:02d}Z",
    }


def land(layout: Layout, day: date, events: Iterable[dict[str, Any]]) -> None:
    catalogue = {
        "item_id": "i0",
        "title": "Mug",
        "category_path": [],
        "tags": [],
        "regions": [],
        "first_seen": str(day),
    }
    feeds = {"events": list(events), "catalogue": [catalogue]}
    for feed, rows in feeds.items():
        folder = Path(layout.landing_feed(feed, day))
        folder.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "part-00000.jsonl").write_text(text)
    landed = {feed: LandedFeed(files=1, rows=len(rows)) for feed, rows in feeds.items()}
    write_marker(layout, Marker(day=day, feeds=landed))


def land_outage(layout: Layout) -> None:
    """A day without its last events, which land late with the next day."""
    land(layout, DAY, map(event, range(6)))
    late = [event(number) for number in (6, 7, 8)]
    land(layout, NEXT, [*late, *(event(number, NEXT) for number in range(20, 24))])


def accepted(layout: Layout) -> dict[date, list[str]]:
    found: dict[date, list[str]] = {}
    for row in read_arrow(layout, INTERACTIONS, columns=["day", "event_id"]).to_pylist():
        found.setdefault(row["day"], []).append(row["event_id"])
    return {day: sorted(ids) for day, ids in sorted(found.items())}


def times_counted(layout: Layout) -> Counter[str]:
    return Counter(event for ids in accepted(layout).values() for event in ids)


def checks(layout: Layout, day: date) -> dict[str, CheckResult]:
    text = Path(layout.verdict(day, "ingest_landing", "interactions")).read_text()
    return {result.name: result for result in Verdict.from_json(text).results}


def warned(layout: Layout, day: date) -> set[str]:
    order = {"no_later_day_built", "earlier_days_current", "left_events_kept"}
    return {name for name, result in checks(layout, day).items() if not result.passed} & order


def contents(layout: Layout) -> dict[str, list[str]]:
    return {
        dataset.name: sorted(map(repr, read_arrow(layout, dataset).to_pylist()))
        for dataset in INGESTED
    }


@pytest.fixture
def shop(settings_file: Path, layout: Layout) -> Layout:
    settings = yaml.safe_load(settings_file.read_text())
    source = {"feeds": ["events", "catalogue"]}
    settings_file.write_text(yaml.safe_dump(settings | {"source": source}))
    return layout


@pytest.fixture
def ingest(spark: object, arguments: Callable[..., Namespace]) -> Ingest:
    return lambda *days: ingest_landing.run(arguments(day=days[0], days=days))


@pytest.fixture
def build(spark: object, arguments: Callable[..., Namespace]) -> Ingest:
    return lambda day: build_histories.run(arguments(day=day, days=(day,)))


@pytest.fixture(params=[None, 0], ids=["arrow", "spark"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param is not None:
        monkeypatch.setattr(ingestion, "ROWS_AT_HAND", request.param)


@pytest.mark.usefixtures("engine")
def test_a_day_landed_again_leaves_its_late_events_to_the_day_that_counted_them(
    shop: Layout, ingest: Ingest, build: Ingest
) -> None:
    land_outage(shop)
    ingest(DAY)
    ingest(NEXT)
    assert warned(shop, NEXT) == set()
    land(shop, DAY, map(event, [*range(9), 30]))
    ingest(DAY)
    assert accepted(shop) == {
        DAY: ["e0", "e1", "e2", "e3", "e30", "e4", "e5"],
        NEXT: ["e20", "e21", "e22", "e23", "e6", "e7", "e8"],
    }
    assert warned(shop, DAY) == {"no_later_day_built"}
    found = checks(shop, DAY)["no_later_day_built"].observed
    assert "3 events of this day are counted on 2026-08-21" in found
    assert "run `make backfill FROM=2026-08-21 TO=2026-08-21`" in found
    notes = read_json(shop.report(DAY, "ingest_landing"))["notes"]
    assert notes["accepted_later"] == {"2026-08-21": 3}
    assert notes["feeds"]["events"]["duplicates"] == 3
    first = contents(shop)
    ingest(DAY)
    assert contents(shop) == first
    assert warned(shop, DAY) == set()
    build(NEXT)
    rows = read_arrow(shop, HISTORIES, day=NEXT, cut="through").to_pylist()
    assert [len(row["item_ids"]) for row in rows] == [14]


@pytest.mark.parametrize("order", [(NEXT, DAY, BEFORE), (DAY, NEXT, BEFORE, DAY)], ids=str)
def test_every_event_is_counted_once_in_any_order_and_a_range_decides_by_day(
    shop: Layout, ingest: Ingest, order: tuple[date, ...]
) -> None:
    """Each day holds its own events, and late ones that land on one or two more days."""
    land(shop, BEFORE, (event(number, BEFORE) for number in range(4)))
    late = [event(number, BEFORE) for number in (2, 3, 4, 5)]
    land(shop, DAY, [*late, *(event(number) for number in (10, 11, 12))])
    later = [*(event(number, BEFORE) for number in (3, 5, 6)), event(12), event(13)]
    land(shop, NEXT, [*later, event(20, NEXT)])
    for day in order:
        ingest(day)
    expected = {f"e{number}" for number in (0, 1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 20)}
    assert times_counted(shop) == dict.fromkeys(expected, 1)
    assert all(checks(shop, day)["rows_conserved"].passed for day in order)
    ingest(BEFORE, DAY, NEXT)
    assert accepted(shop) == {
        BEFORE: ["e0", "e1", "e2", "e3"],
        DAY: ["e10", "e11", "e12", "e4", "e5"],
        NEXT: ["e13", "e20", "e6"],
    }
    assert not any(warned(shop, day) for day in order)


def test_a_gate_warns_until_the_days_in_between_have_run_again(
    shop: Layout, ingest: Ingest, build: Ingest
) -> None:
    land_outage(shop)
    land(shop, AFTER, [event(50, AFTER)])
    ingest(DAY, NEXT)
    build(NEXT)
    land(shop, DAY, [event(number) for number in range(10)])
    ingest(DAY)
    ingest(AFTER)
    stale = checks(shop, AFTER)["earlier_days_current"]
    assert stale.observed.startswith("2026-08-21 was built before 2026-08-20 landed again; ")
    assert stale.observed.endswith("run `make backfill FROM=2026-08-21 TO=2026-08-21`")
    land(shop, DAY, [])
    ingest(DAY)
    assert read_json(shop.report(DAY, "ingest_landing"))["status"] == "refused"
    assert list(stale_days(shop, AFTER)) == [NEXT]
    build(NEXT)
    assert stale_days(shop, AFTER) == {}


def test_an_accepted_day_that_lands_again_as_closed_loses_its_rows(
    shop: Layout, ingest: Ingest, build: Ingest
) -> None:
    land_outage(shop)
    land(shop, BEFORE, [event(40, BEFORE)])
    ingest(BEFORE, DAY, NEXT)
    build(NEXT)
    write_marker(shop, Marker(day=DAY, calendar="closed", reason="a holiday"))
    ingest(DAY)
    assert all(DAY not in partition_days(shop, dataset) for dataset in INGESTED)
    report = read_json(shop.report(DAY, "ingest_landing"))
    assert (report["status"], report["notes"]["reason"]) == ("closed", "a holiday")
    assert report["notes"]["removed_rows"] == {"interactions": 6, "items": 1}
    assert list(accepted(shop)) == [BEFORE, NEXT]
    ingest(DAY)
    assert "removed_rows" not in read_json(shop.report(DAY, "ingest_landing"))["notes"]
    assert stale_days(shop, AFTER) == {NEXT: DAY}
    assert gap_days(shop, AFTER) == ()


@pytest.mark.usefixtures("engine")
def test_late_events_that_a_later_landing_lacks_are_missed(shop: Layout, ingest: Ingest) -> None:
    land_outage(shop)
    land(shop, DAY, map(event, range(9)))
    ingest(NEXT)
    ingest(DAY)
    land(shop, NEXT, [event(6), *(event(number, NEXT) for number in range(20, 24))])
    ingest(NEXT)
    missed = checks(shop, NEXT)["left_events_kept"]
    assert missed.observed.startswith("2 late events are gone; run `make backfill FROM=2026-08-20")
    ingest(DAY)
    assert times_counted(shop)["e7"] == times_counted(shop)["e8"] == 1


def test_events_on_items_that_the_catalogue_lacks_are_counted(
    shop: Layout, ingest: Ingest, settings_file: Path
) -> None:
    land(shop, BEFORE, (event(number, BEFORE) for number in range(4)))
    land(shop, DAY, [*map(event, range(10, 18)), event(18, item="new"), event(19, item="I0")])
    ingest(BEFORE, DAY)
    warning, failure = (checks(shop, DAY)[f"unknown_items_{kind}"] for kind in ("warn", "fail"))
    assert (warning.passed, failure.passed) == (False, True)
    assert warning.observed == "2 of 10 events (20.0%); 0.0% on 2026-08-19"
    assert read_json(shop.report(DAY, "ingest_landing"))["notes"]["unknown_items"] == [2, 10]
    settings = yaml.safe_load(settings_file.read_text())
    limits = {"max_unknown_items_share": 0.1}
    settings_file.write_text(yaml.safe_dump(settings | {"ingest": limits}))
    ingest(DAY)
    assert read_json(shop.report(DAY, "ingest_landing"))["status"] == "refused"
