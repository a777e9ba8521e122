"""A landed day becomes tables: rows are conserved, equal on every run, written all or none."""

from __future__ import annotations

import gzip
import json
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from grove.contracts import Verdict
from grove.datasets import (
    CONTEXT,
    INGESTED,
    INTERACTIONS,
    ITEMS,
    QUARANTINE,
    QUERIES,
    USERS,
    Dataset,
    Layout,
)
from grove.errors import DATA_EXIT_CODE, DataError
from grove.runtime.files import read_json
from grove.runtime.job import run_job
from grove.runtime.landing import LandedFeed, Marker, write_marker
from grove.runtime.tables import read_arrow
from grove.stages import ingest_landing as ingestion
from jobs.ingest_landing import parse_arguments, run

pytestmark = pytest.mark.spark

DAY = date(2026, 8, 20)
NEXT = DAY + timedelta(days=1)
Rows = list[dict[str, Any] | str]


def event(number: int, day: date = DAY, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "event_type": "click",
        "user_id": f"u{number % 3}",
        "item_id": f"i{number % 2}",
        "event_time": f"{day}T08:00:0{number % 10}Z",
        "query": "Red  MUG",
        "page_id": f"p{number % 2}",
        "price": 4.5,
    } | changes


def item(number: int, day: date = DAY) -> dict[str, Any]:
    return {
        "item_id": f"i{number}",
        "title": f"Mug {number}",
        "category_path": ["Home", "Kitchen"],
        "tags": ["red"],
        "price": 4.5,
        "regions": ["north"],
        "first_seen": str(day),
    }


def good_feeds(day: date = DAY, first: int = 0) -> dict[str, Rows]:
    return {
        "events": [event(number, day) for number in range(first, first + 6)],
        "catalogue": [item(0, day), item(1, day)],
        "users": [{"user_id": "u0", "region": "north", "signup_day": str(day)}],
        "context": [{"region": "north", "weather": "rain", "temperature_celsius": 12.5}],
    }


def land(layout: Layout, day: date, feeds: Mapping[str, Rows], *, announced: int = 0) -> None:
    """Write the files of a day, and its marker; `announced` is added to the rows it states."""
    for feed, rows in feeds.items():
        folder = Path(layout.landing_feed(feed, day))
        folder.mkdir(parents=True, exist_ok=True)
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (folder / "part-00000.jsonl").write_text("".join(f"{line}\n" for line in lines))
    landed = {feed: LandedFeed(files=1, rows=len(rows) + announced) for feed, rows in feeds.items()}
    write_marker(layout, Marker(day=day, feeds=landed))


def declare(settings_file: Path, feeds: list[str]) -> None:
    settings = yaml.safe_load(settings_file.read_text())
    settings_file.write_text(yaml.safe_dump(settings | {"source": {"feeds": feeds}}))


def contents(layout: Layout, datasets: Iterable[Dataset] = INGESTED) -> dict[str, list[Any]]:
    """All rows of the tables, sorted."""
    return {
        dataset.name: sorted(map(repr, read_arrow(layout, dataset).to_pylist()))
        for dataset in datasets
    }


def report_of(layout: Layout, day: date = DAY) -> dict[str, Any]:
    report = read_json(layout.report(day, "ingest_landing"))
    assert report is not None
    return report


def verdict_of(layout: Layout, dataset: Dataset, day: date = DAY) -> Verdict:
    text = Path(layout.verdict(day, "ingest_landing", dataset.name)).read_text()
    return Verdict.from_json(text)


def failures(layout: Layout, dataset: Dataset, day: date = DAY) -> list[str]:
    return [result.name for result in verdict_of(layout, dataset, day).failures]


def column(table: pa.Table, name: str) -> list[Any]:
    return sorted(table[name].to_pylist())


@pytest.fixture
def ingest(spark: object, arguments: Callable[..., Namespace]) -> Callable[..., None]:
    def ingest_days(*days: date) -> None:
        run(arguments(day=days[0], days=days))

    return ingest_days


Ingest = Callable[..., None]


def test_a_day_becomes_tables_and_its_rows_are_conserved(layout: Layout, ingest: Ingest) -> None:
    feeds = good_feeds()
    broken: Rows = ["{broken", event(8, event_type="wink"), event(9, price=-1.0)]
    land(layout, DAY, feeds | {"events": [*feeds["events"], event(0), *broken]})
    ingest(DAY)
    assert column(read_arrow(layout, INTERACTIONS), "event_id") == [f"e{n}" for n in range(6)]
    assert read_arrow(layout, QUERIES).to_pylist() == [
        {"day": DAY, "query": "red mug", "searches": 2, "clicks": 6}
    ]
    quarantine = read_arrow(layout, QUARANTINE)
    assert sorted(
        zip(*(quarantine[name].to_pylist() for name in ("line", "reason")), strict=True)
    ) == [
        (8, "malformed"),
        (9, "unknown_event_type"),
        (10, "negative_price"),
    ]
    assert column(read_arrow(layout, ITEMS), "title") == ["Mug 0", "Mug 1"]
    assert read_arrow(layout, USERS).num_rows == read_arrow(layout, CONTEXT).num_rows == 1
    report = report_of(layout)
    assert report["status"] == "committed"
    assert report["rows"] == {"in": 10, "out": 6, "rejected": 3}
    assert report["notes"]["feeds"]["events"] == {
        "landed": 10,
        "accepted": 6,
        "duplicates": 1,
        "quarantined": {"malformed": 1, "negative_price": 1, "unknown_event_type": 1},
    }
    assert all(verdict_of(layout, dataset).passed for dataset in INGESTED)
    # 3 of 10 rows are more than the 5 % that the gate tolerates without a warning.
    warned = [result.name for result in verdict_of(layout, INTERACTIONS).warnings]
    assert warned == ["quarantined_share_warn"]


def test_a_second_run_gives_the_same_rows_and_so_does_spark(
    layout: Layout, ingest: Ingest, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(layout, DAY, good_feeds() | {"events": [*good_feeds()["events"], "{broken"]})
    ingest(DAY)
    first = contents(layout)
    ingest(DAY)
    assert contents(layout) == first
    monkeypatch.setattr(ingestion, "ROWS_AT_HAND", 0)
    ingest(DAY)
    assert contents(layout) == first


def test_a_range_gives_what_its_days_give_one_by_one(layout: Layout, ingest: Ingest) -> None:
    days = [DAY + timedelta(days=offset) for offset in range(4)]
    for number, day in enumerate(days):
        if number == 2:
            write_marker(layout, Marker(day=day, calendar="closed", reason="a holiday"))
            continue
        repeated: Rows = [event(0, days[0]), event(number * 10, day)]
        feeds = good_feeds(day, first=number * 10)
        land(layout, day, feeds | {"events": [*feeds["events"], *repeated, "{broken"]})
    for day in days:
        ingest(day)
    one_by_one = contents(layout)
    reports = [report_of(layout, day)["notes"] for day in days]
    ingest(*days)
    assert contents(layout) == one_by_one
    assert [report_of(layout, day)["notes"] for day in days] == reports
    assert [report_of(layout, day)["status"] for day in days] == [
        "committed",
        "committed",
        "closed",
        "committed",
    ]
    assert reports[1]["feeds"]["events"]["duplicates"] == 2
    assert reports[2] == {"reason": "a holiday"}
    assert verdict_of(layout, QUERIES, days[3]).passed


def test_only_the_bad_day_of_a_range_is_rejected(layout: Layout, ingest: Ingest) -> None:
    land(layout, DAY, good_feeds())
    land(layout, NEXT, good_feeds(NEXT, first=10) | {"events": []})
    ingest(DAY, NEXT)
    assert set(column(read_arrow(layout, INTERACTIONS), "day")) == {DAY}
    assert set(column(read_arrow(layout, ITEMS), "day")) == {DAY}
    assert [report_of(layout, day)["status"] for day in (DAY, NEXT)] == ["committed", "refused"]
    assert failures(layout, INTERACTIONS, NEXT) == ["rows_on_open_day"]


@pytest.mark.parametrize(
    ("events", "announced", "failed"),
    [
        ([], 0, "rows_on_open_day"),
        ([event(1), "{1", "{2", "{3"], 0, "quarantined_share_fail"),
        ([event(1)], 1, "landed_as_announced"),
    ],
)
def test_a_rejected_day_leaves_the_old_rows(
    layout: Layout, ingest: Ingest, events: Rows, announced: int, failed: str
) -> None:
    land(layout, DAY, good_feeds())
    ingest(DAY)
    before = contents(layout)
    land(layout, DAY, good_feeds() | {"events": events}, announced=announced)
    ingest(DAY)
    assert contents(layout) == before
    assert report_of(layout)["status"] == "refused"
    assert failed in failures(layout, INTERACTIONS)


def test_a_missing_feed_or_column_or_marker_is_an_error(layout: Layout, ingest: Ingest) -> None:
    with pytest.raises(DataError, match="has not landed"):
        ingest(DAY)
    feeds = good_feeds()
    land(layout, DAY, {feed: rows for feed, rows in feeds.items() if feed != "catalogue"})
    with pytest.raises(DataError, match="catalogue of 2026-08-20"):
        ingest(DAY)
    lacking = [{"event_id": "e", "event_type": "click", "item_id": "i", "event_time": "now"}]
    land(layout, DAY, feeds | {"events": lacking})
    with pytest.raises(DataError, match="events lacks a required column") as caught:
        ingest(DAY)
    assert "user_id" in caught.value.expected
    assert all(not rows for rows in contents(layout).values())
    assert report_of(layout)["status"] == "failed"


def test_a_closed_day_with_rows_is_an_error(layout: Layout, ingest: Ingest) -> None:
    feeds = {"events": LandedFeed(files=1, rows=3)}
    write_marker(layout, Marker(day=DAY, calendar="closed", reason="Sunday", feeds=feeds))
    with pytest.raises(DataError, match="a closed day has rows"):
        ingest(DAY)


def test_the_product_of_an_item_is_kept_and_may_be_unknown(
    layout: Layout, settings_file: Path, ingest: Ingest
) -> None:
    declare(settings_file, ["events", "catalogue"])
    catalogue: Rows = [item(1) | {"product_id": "mug"}, item(2) | {"product_id": "mug"}, item(3)]
    events: Rows = [event(number, item_id=f"i{number}") for number in (1, 2, 3)]
    land(layout, DAY, {"events": events, "catalogue": catalogue})
    ingest(DAY)
    found = read_arrow(layout, ITEMS, columns=["item_id", "product_id"]).to_pylist()
    assert {row["item_id"]: row["product_id"] for row in found} == {
        "i1": "mug",
        "i2": "mug",
        "i3": None,
    }


def test_a_shop_without_a_catalogue_derives_its_items_from_events(
    layout: Layout, settings_file: Path, ingest: Ingest
) -> None:
    declare(settings_file, ["events"])
    for day, price in ((DAY, 1.0), (NEXT, 2.0)):
        rows: Rows = [event(day.day, day, item_id="i7", title="Mug", price=price)]
        rows.append(event(day.day + 50, day, item_id="i8", title="Cup", price=3.0))
        land(layout, day, {"events": rows})
        ingest(day)
    found = read_arrow(layout, ITEMS, columns=["day", "item_id", "price", "first_seen"])
    assert sorted(tuple(row.values()) for row in found.to_pylist()) == [
        (DAY, "i7", 1.0, DAY),
        (DAY, "i8", 3.0, DAY),
        (NEXT, "i7", 2.0, DAY),
    ]
    assert [result.name for result in verdict_of(layout, USERS).results] == ["feed_declared"]
    assert verdict_of(layout, USERS).passed


def test_a_gap_is_named(layout: Layout, ingest: Ingest) -> None:
    land(layout, DAY, good_feeds())
    later = DAY + timedelta(days=3)
    land(layout, later, good_feeds(later, first=10))
    ingest(DAY)
    ingest(later)
    assert report_of(layout, later)["gaps"] == ["2026-08-21", "2026-08-22"]
    warned = [result.name for result in verdict_of(layout, INTERACTIONS, later).warnings]
    assert warned == ["no_gap"]


def test_a_day_in_the_future_is_a_data_error(settings_file: Path) -> None:
    given = parse_arguments(["--day", "2999-01-01", "--settings", str(settings_file)])
    assert run_job(run, given) == DATA_EXIT_CODE


def warnings(layout: Layout, dataset: Dataset, day: date) -> dict[str, str]:
    results = verdict_of(layout, dataset, day).warnings
    return {result.name: result.observed for result in results}


def test_a_feed_that_looks_different_is_reported(layout: Layout, ingest: Ingest) -> None:
    land(layout, DAY, good_feeds())
    renamed: Rows = []
    for number in range(10, 16):
        row = event(number, NEXT, device="tv" if number < 12 else None, unit_price=4.5)
        renamed.append({name: value for name, value in row.items() if name != "price"})
    land(layout, NEXT, good_feeds(NEXT) | {"events": renamed})
    ingest(DAY)
    ingest(NEXT)
    found = warnings(layout, INTERACTIONS, NEXT)
    assert found["columns_as_before"] == (
        "price is in no row (100.0% on 2026-08-20); unit_price is new and in no contract"
    )
    assert "device in 33.3% of rows (0.0% on 2026-08-20)" in found["filled_as_before"]
    assert report_of(layout, NEXT)["notes"]["extra_columns"] == {"events": ["unit_price"]}
    assert warnings(layout, ITEMS, NEXT) == {}
    before = report_of(layout, NEXT), found
    ingest(DAY, NEXT)
    assert (report_of(layout, NEXT)["notes"], warnings(layout, INTERACTIONS, NEXT)) == (
        before[0]["notes"],
        before[1],
    )


def test_a_file_that_cannot_be_read_is_a_data_error_and_leaves_the_rows(
    layout: Layout, ingest: Ingest
) -> None:
    land(layout, DAY, good_feeds())
    ingest(DAY)
    before = contents(layout)
    folder = Path(layout.landing_feed("events", DAY))
    for name, content in (
        ("_part.jsonl", b""),
        ("part.parquet", b"PAR1 and no more"),
        ("part.csv", b"a;b\n1;2\n"),
        ("part.jsonl.gz", gzip.compress(b"{}\n" * 5_000)[:-20]),
    ):
        (folder / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            ingest(DAY)
        assert name in caught.value.where
        (folder / name).unlink()
    assert contents(layout) == before


def test_what_landed_in_many_formats_is_one_day(layout: Layout, ingest: Ingest) -> None:
    """Random tables are read in `tests/unit/landed`; this is their way through a whole ingest."""
    land(layout, DAY, good_feeds())
    folder = Path(layout.landing_feed("events", DAY))
    rows = [event(number) for number in range(100, 104)]
    pq.write_table(pa.Table.from_pylist(rows[:1]), folder / "b.parquet")
    (folder / "c.ndjson.gz").write_bytes(gzip.compress(json.dumps(rows[1]).encode() + b"\n\n"))
    (folder / "hour=03").mkdir()
    (folder / "hour=03" / "part-00000.json").write_text(json.dumps(rows[2]) + "\n{broken")
    columns = ",".join(reversed(rows[3]))
    values = ",".join(map(str, reversed(rows[3].values())))
    (folder / "d 10:00.csv").write_text(f"{columns}\n{values}\n{values},x\n")
    landed = {feed: LandedFeed(files=1, rows=len(rows)) for feed, rows in good_feeds().items()}
    landed["events"] = LandedFeed(files=5, rows=12)
    write_marker(layout, Marker(day=DAY, feeds=landed))
    ingest(DAY)
    assert report_of(layout)["status"] == "committed"
    found = read_arrow(layout, INTERACTIONS)
    assert set(column(found, "event_id")) >= {f"e{number}" for number in range(100, 104)}
    quarantine = read_arrow(layout, QUARANTINE).select(["file", "line", "reason"]).to_pylist()
    assert {tuple(row.values()) for row in quarantine} == {
        ("hour=03/part-00000.json", 2, "malformed"),
        ("d 10:00.csv", 3, "malformed"),
    }
