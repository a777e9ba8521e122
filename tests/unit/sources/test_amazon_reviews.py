"""Reviews of a department: conversion of reviews and items, and the day on which each lands."""

from __future__ import annotations

import html
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from grove.contracts import feed_dataset, load_contract
from grove.datasets import INTERACTIONS
from grove.errors import DataError, SettingsError
from grove.sources.amazon_reviews import EVENT_FILE, ITEM_FILE, AmazonReviews

FIRST = date(2013, 3, 4)


def review(user: str, asin: str, day: date = FIRST) -> dict[str, Any]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {"user_id": user, "asin": asin, "timestamp": int(midnight.timestamp()), "pos": 1}


def item(asin: str, **values: Any) -> dict[str, Any]:
    known = {"title": "Rose &amp; Oil", "brand": "Acme", "categories": [["Beauty", "Bath"]]}
    return {"asin": asin, "also_bought": ["B9"], **known, **values}


def shop(
    folder: Path, *reviews: dict[str, Any], first_day: date | None = None, **files: Any
) -> AmazonReviews:
    pq.write_table(pa.Table.from_pylist(list(reviews)), folder / EVENT_FILE)
    items = files.get("items", [item("B2"), item("B1")])
    pq.write_table(pa.Table.from_pylist(items), folder / ITEM_FILE)
    return AmazonReviews(str(folder), first_day)


def landed(source: AmazonReviews, feed: str, day: date = FIRST) -> list[dict[str, Any]]:
    files = source.land(day)[feed]
    rows = [json.loads(line) for line in b"".join(files.files).splitlines() if line]
    assert len(rows) == files.rows
    return rows


def test_a_review_becomes_an_order_at_midnight(tmp_path: Path) -> None:
    (event,) = landed(shop(tmp_path, review("U1", "B1")), "events")
    assert event.pop("event_id")
    assert event == {
        "event_type": "order",
        "user_id": "U1",
        "item_id": "B1",
        "event_time": "2013-03-04T00:00:00.000Z",
    }


def test_event_ids_differ_and_stay(tmp_path: Path) -> None:
    source = shop(tmp_path, review("U1", "B1"), review("U1", "B2"), review("U2", "B1"))
    ids = [event["event_id"] for event in landed(source, "events")]
    assert len(set(ids)) == 3
    assert [event["event_id"] for event in landed(source, "events")] == ids


def test_the_catalogue_lands_whole_on_the_first_day_only(tmp_path: Path) -> None:
    later = FIRST + timedelta(days=1)
    source = shop(tmp_path, review("U1", "B1"), review("U1", "B2", later))
    assert [row["item_id"] for row in landed(source, "catalogue")] == ["B1", "B2"]
    assert landed(source, "catalogue", later) == []
    assert [event["item_id"] for event in landed(source, "events", later)] == ["B2"]


def test_a_row_of_the_catalogue_reads_like_the_shops(tmp_path: Path) -> None:
    paths = [["Beauty", "Hair &amp; Care"], ["Gifts", "For Her"], ["Beauty", "Sets"]]
    source = shop(tmp_path, review("U1", "B1"), items=[item("B1", categories=paths)])
    (row,) = landed(source, "catalogue")
    assert row == {
        "item_id": "B1",
        "title": "Rose & Oil",
        "brand": "Acme",
        "category_path": ["Beauty", "Hair & Care"],
        "tags": ["For Her", "Sets"],
        "regions": [],
        "first_seen": "2013-03-04",
    }


@pytest.mark.parametrize("feed", ["events", "catalogue"])
def test_a_row_is_what_the_contract_of_its_feed_asks_for(tmp_path: Path, feed: str) -> None:
    contract = load_contract(feed_dataset(feed))
    for row in landed(shop(tmp_path, review("U1", "B1")), feed):
        assert set(row) <= set(contract.column_names)
        assert all(row[name] is not None for name in contract.must_have)


def test_no_title_and_no_brand(tmp_path: Path) -> None:
    items = [item("B1", title=None, brand="Unknown"), item("B2", brand=None)]
    rows = landed(shop(tmp_path, review("U1", "B1"), items=items), "catalogue")
    assert [(row["title"], row["brand"]) for row in rows] == [("B1", None), ("Rose & Oil", None)]


@pytest.mark.parametrize(
    "written", ["Kirk's &amp; Co", "Kirk&#39;s &amp; Co", "Kirk&amp;#039;s & Co"]
)
def test_entities_are_resolved_however_often_they_were_escaped(
    tmp_path: Path, written: str
) -> None:
    items = [item("B1", title=written, brand=written, categories=[["Beauty", written]])]
    (row,) = landed(shop(tmp_path, review("U1", "B1"), items=items), "catalogue")
    assert (row["title"], row["brand"], row["category_path"][1]) == ("Kirk's & Co",) * 3


def test_a_shop_may_begin_later_than_its_file(tmp_path: Path) -> None:
    later = FIRST + timedelta(days=3)
    source = shop(tmp_path, review("U1", "B1"), review("U2", "B2", later), first_day=later)
    assert source.days_available() == (later, later)
    assert len(landed(source, "catalogue", later)) == 2


def test_days_without_a_review_are_closed_and_the_catalogue_waits(tmp_path: Path) -> None:
    begin, last = FIRST + timedelta(days=1), FIRST + timedelta(days=4)
    source = shop(tmp_path, review("U1", "B1"), review("U1", "B2", last), first_day=begin)
    closed = source.calendar(begin)
    assert (closed.state, closed.reason) == ("closed", "no review in the file")
    assert source.calendar(last).state == "open"
    assert source.days_available() == (begin, last)
    assert len(landed(source, "catalogue", last)) == 2


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist") as missing:
        AmazonReviews(str(tmp_path))
    assert EVENT_FILE in str(missing.value)


def test_a_file_cut_short_and_a_missing_column_are_named(tmp_path: Path) -> None:
    shop(tmp_path, review("U1", "B1"))
    whole = (tmp_path / ITEM_FILE).read_bytes()
    (tmp_path / ITEM_FILE).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read") as cut:
        AmazonReviews(str(tmp_path))
    assert ITEM_FILE in str(cut.value)
    pq.write_table(pa.table({"asin": ["B1"]}), tmp_path / ITEM_FILE)
    with pytest.raises(DataError) as lacking:
        AmazonReviews(str(tmp_path))
    assert "no title, brand, categories" in str(lacking.value)


@pytest.mark.parametrize(
    ("reviews", "found"),
    [
        ([], "0 reviews, 0 without"),
        ([review("U1", "B1"), review("U2", "B1") | {"timestamp": None}], "2 reviews, 1 without"),
    ],
    ids=["no review", "a review without a day"],
)
def test_reviews_that_say_no_day_are_rejected(
    tmp_path: Path, reviews: list[dict[str, Any]], found: str
) -> None:
    shop(tmp_path, review("U1", "B1"))
    file = tmp_path / EVENT_FILE
    pq.write_table(pa.Table.from_pylist(reviews, schema=pq.read_schema(file)), file)
    with pytest.raises(DataError, match="have no days") as caught:
        AmazonReviews(str(tmp_path))
    assert found in caught.value.found


def test_an_item_without_categories_has_none(tmp_path: Path) -> None:
    source = shop(tmp_path, review("U1", "B1"), items=[item("B1"), item("B2", categories=None)])
    assert [row["category_path"] for row in landed(source, "catalogue")] == [["Beauty", "Bath"], []]


def test_a_first_day_after_the_data_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="begins after its data end") as late:
        shop(tmp_path, review("U1", "B1"), first_day=date(2020, 1, 1))
    assert "2013-03-04" in str(late.value)


def test_the_environments_history_is_one_the_tables_keep() -> None:
    file = Path(__file__).resolve().parents[3] / "infra" / "environments" / "amazon-reviews.yaml"
    first_day = yaml.safe_load(file.read_text(encoding="utf-8"))["source"]["first_day"]
    kept = load_contract(INTERACTIONS).retention_days
    assert kept is not None
    assert timedelta(days=365) <= date(2014, 6, 3) - first_day <= timedelta(days=kept)


@pytest.mark.real_data
def test_the_real_beauty_department(real_data_folder: Path) -> None:
    source = AmazonReviews(str(real_data_folder / "amazon2014_beauty"), date(2014, 1, 1))
    assert source.days_available() == (date(2014, 1, 1), date(2014, 7, 23))
    items = landed(source, "catalogue", date(2014, 1, 1))
    assert len(items) == 12_101
    words = [row[name] for row in items for name in ("title", "brand") if row[name] is not None]
    assert len(words) > 20_000
    assert all(html.unescape(word) == word != "" for word in words)
    events = landed(source, "events", date(2014, 7, 1))
    assert len(events) == 321
    assert len({event["event_id"] for event in events}) == 321
