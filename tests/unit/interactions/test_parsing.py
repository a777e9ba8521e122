"""A landed feed as a Spark frame: summed up, refused as a whole, and split."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from tests.unit.landed.landed_day import (
    DAY,
    EVENT,
    Line,
    event_columns,
    feed_reader,
    json_file,
    parquet_file,
)

from grove.contracts import load_contract
from grove.datasets import FEED_DATASETS
from grove.errors import DataError
from grove.interactions import LandedFeedFiles, landed
from grove.interactions.duplicates import find_duplicates
from grove.interactions.parsing import ParsedFeed, parse_feed
from grove.interactions.split import accepted_rows, quarantined_rows
from grove.landed import landed_files

pytestmark = pytest.mark.spark

ParseFiles = Callable[[Mapping[str, bytes]], ParsedFeed]
ParseLines = Callable[..., ParsedFeed]


@pytest.fixture
def parse_files(spark: SparkSession, tmp_path: Path) -> ParseFiles:
    def parse(files: Mapping[str, bytes]) -> ParsedFeed:
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        found = landed_files(str(tmp_path), DAY, [str(tmp_path / name) for name in files])
        feed = LandedFeedFiles(feed="events", files=found)
        return parse_feed(spark, feed, feed_reader(), persist=DataFrame.cache)

    return parse


@pytest.fixture
def parse(parse_files: ParseFiles) -> ParseLines:
    def parse_lines(*lines: Line) -> ParsedFeed:
        return parse_files({"part-00000.jsonl": json_file(*lines)})

    return parse_lines


def reasons_by_line(parsed: ParsedFeed) -> dict[int, str]:
    return {row["line"]: row["reason"] for row in quarantined_rows(parsed).collect()}


def accepted(parsed: ParsedFeed) -> list[dict[str, Any]]:
    table = load_contract(FEED_DATASETS["events"])
    duplicates = find_duplicates(
        parsed, table, earlier=None, within_days=3, persist=DataFrame.cache
    )
    return [row.asDict() for row in accepted_rows(parsed, duplicates).collect()]


def test_quarantine_keeps_the_row_as_it_landed(parse: ParseLines) -> None:
    parsed = parse(EVENT, "{broken", b"\xffx")
    rows = {row["line"]: row for row in quarantined_rows(parsed).collect()}
    assert rows[2]["raw"] == "{broken"
    assert rows[3]["raw"] == "�x"
    assert {row["file"] for row in rows.values()} == {"part-00000.jsonl"}
    assert {row["feed"] for row in rows.values()} == {"events"}


def test_values_are_typed_and_times_are_utc(parse: ParseLines) -> None:
    late = EVENT | {"event_id": "e2", "event_time": "2026-11-16T02:00:00+02:00", "position": 3.0}
    parsed = parse(late | {"query": " Ｒed \t MUG ", "price": 4})
    text = "date_format(event_time, 'yyyy-MM-dd HH:mm:ss') time"
    row = parsed.rows.selectExpr(text, "position", "query", "price", "day").first()
    assert row is not None
    assert row.asDict() == {
        "time": "2026-11-16 00:00:00",
        "position": 3,
        "query": "red mug",
        "price": 4.0,
        "day": DAY,
    }


def test_workers_give_the_rows_that_one_process_gives(
    parse_files: ParseFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "a.jsonl": json_file(EVENT, "{broken", EVENT | {"event_id": "e2", "price": -1}),
        "b.parquet": parquet_file(event_columns(3)),
        "c.csv": f"{','.join(EVENT)}\n{','.join(EVENT.values())}\n".encode(),
    }
    by_hand = parse_files(files)
    monkeypatch.setattr(landed, "BYTES_AT_HAND", 0)
    by_workers = parse_files(files)
    assert by_workers.rows.schema == by_hand.rows.schema
    assert sorted(map(repr, by_workers.rows.collect())) == sorted(map(repr, by_hand.rows.collect()))
    assert by_workers.groups == by_hand.groups


def test_a_column_missing_in_every_row_rejects_the_feed(parse: ParseLines) -> None:
    lacking = {name: value for name, value in EVENT.items() if name != "user_id"}
    with pytest.raises(DataError, match="the feed events lacks") as caught:
        parse(lacking | {"User_ID": "u"}, lacking | {"event_id": "e2"}, "{broken")
    assert "user_id" in caught.value.expected
    assert "User_ID" in caught.value.found
    assert str(DAY) in caught.value.where


def test_one_row_with_all_columns_is_enough(parse: ParseLines) -> None:
    lacking = {name: value for name, value in EVENT.items() if name != "user_id"}
    assert reasons_by_line(parse(lacking, EVENT)) == {1: "missing_key"}


def test_extra_columns_are_accepted_and_named(parse: ParseLines) -> None:
    parsed = parse(EVENT | {"campaign": "spring", "abroad": True, "page.name": "x"})
    assert parsed.shape(DAY).unknown == ("abroad", "campaign", "page.name")
    assert len(accepted(parsed)) == 1


def test_no_row_at_all_is_an_empty_frame(parse: ParseLines) -> None:
    parsed = parse()
    assert parsed.rows_landed(DAY) == 0
    assert accepted(parsed) == []


def test_a_damaged_file_is_a_data_error_that_names_it(parse_files: ParseFiles) -> None:
    lines = gzip.compress(json_file(*(EVENT | {"event_id": f"e{n}"} for n in range(2_000))))
    with pytest.raises(DataError, match="damaged") as caught:
        parse_files({"good.jsonl": json_file(EVENT), "bad.jsonl.gz": lines[:-200]})
    assert "bad.jsonl.gz" in caught.value.where
    assert "good" not in caught.value.where
