"""Parsing of a landed feed: each invalid row gets its reason, file and line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import feed_dataset, load_contract
from grove.datasets import FEED_DATASETS
from grove.errors import DataError
from grove.interactions import LandedFiles, Limits
from grove.interactions.duplicates import find_duplicates
from grove.interactions.parsing import ParsedFeed, parse_feed
from grove.interactions.split import accepted_rows, quarantined_rows

pytestmark = pytest.mark.spark

DAY = date(2026, 11, 19)
LIMITS = Limits(max_price=1000.0, lateness_days=3)
EVENT = {
    "event_id": "e1",
    "event_type": "click",
    "user_id": "u1",
    "item_id": "i1",
    "event_time": "2026-11-19T08:01:02.123Z",
}
ITEM = {
    "item_id": "i1",
    "title": "Red mug",
    "category_path": ["Home", "Kitchen"],
    "tags": ["red"],
    "price": 4.5,
    "regions": ["north"],
    "first_seen": "2026-11-19",
}
Line = dict[str, Any] | str | bytes
ParseLines = Callable[..., ParsedFeed]


def write_lines(folder: Path, name: str, lines: Sequence[Line], day: date = DAY) -> str:
    path = folder / f"day={day}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    path.write_bytes(
        b"".join((text.encode() if isinstance(text, str) else text) + b"\n" for text in texts)
    )
    return str(path)


def parse_paths(spark: SparkSession, folder: Path, paths: Sequence[str], feed: str) -> ParsedFeed:
    return parse_feed(
        spark,
        LandedFiles(feed=feed, folder=str(folder), paths=paths),
        contract=load_contract(feed_dataset(feed)),
        table=load_contract(FEED_DATASETS[feed]),
        limits=LIMITS,
        persist=DataFrame.cache,
    )


@pytest.fixture
def parse(spark: SparkSession, tmp_path: Path) -> ParseLines:
    def parse_lines(lines: Sequence[Line], feed: str = "events") -> ParsedFeed:
        path = write_lines(tmp_path, "part-00000.jsonl", lines)
        return parse_paths(spark, tmp_path, [path], feed)

    return parse_lines


def reasons_by_line(parsed: ParsedFeed) -> dict[int, str]:
    return {row["line"]: row["reason"] for row in quarantined_rows(parsed).collect()}


def accepted(parsed: ParsedFeed, feed: str = "events") -> list[dict[str, Any]]:
    table = load_contract(FEED_DATASETS[feed])
    duplicates = find_duplicates(
        parsed, table, earlier=None, within_days=3, persist=DataFrame.cache
    )
    return [row.asDict() for row in accepted_rows(parsed, duplicates).collect()]


BAD_EVENTS: list[tuple[Line, str]] = [
    ("{this is no JSON", "malformed"),
    ("", "malformed"),
    ("null", "malformed"),
    ('["a list"]', "malformed"),
    (b'{"event_id": "\xff\xfe"}', "not_utf8"),
    (EVENT | {"price": "cheap"}, "wrong_type"),
    (EVENT | {"position": 1.5}, "wrong_type"),
    (EVENT | {"position": 3_000_000_000}, "wrong_type"),
    (EVENT | {"user_id": {"nested": 1}}, "wrong_type"),
    ({**EVENT, "user_id": None}, "missing_key"),
    ({name: value for name, value in EVENT.items() if name != "item_id"}, "missing_key"),
    (EVENT | {"user_id": "  "}, "missing_key"),
    (EVENT | {"event_type": "wink"}, "unknown_event_type"),
    (EVENT | {"event_time": "yesterday"}, "unparseable_time"),
    (EVENT | {"event_time": "08:01:02"}, "unparseable_time"),
    (EVENT | {"event_time": 1763539262123}, "unparseable_time"),
    (EVENT | {"price": -0.01}, "negative_price"),
    (EVENT | {"quantity": -1}, "negative_quantity"),
    (EVENT | {"price": 1000.01}, "absurd_price"),
    (EVENT | {"event_time": "2026-11-20T00:00:00Z"}, "in_the_future"),
    (EVENT | {"event_time": "2026-11-15T23:59:59.999Z"}, "too_late"),
    (EVENT | {"position": 0}, "breaks_contract"),
    (EVENT | {"user_id": "u" * 201}, "breaks_contract"),
]


def test_every_broken_event_gets_its_reason_and_its_line(parse: ParseLines) -> None:
    parsed = parse([EVENT, *(line for line, _ in BAD_EVENTS)])
    expected = {number: reason for number, (_, reason) in enumerate(BAD_EVENTS, start=2)}
    assert reasons_by_line(parsed) == expected
    assert [row["event_id"] for row in accepted(parsed)] == ["e1"]


def test_the_first_reason_that_applies_is_given(parse: ParseLines) -> None:
    parsed = parse([EVENT, EVENT | {"event_type": "wink", "price": -5, "event_time": "never"}])
    assert reasons_by_line(parsed) == {2: "unknown_event_type"}


def test_quarantine_keeps_the_row_as_it_landed(parse: ParseLines) -> None:
    parsed = parse([EVENT, "{broken", b"\xffx"])
    rows = {row["line"]: row for row in quarantined_rows(parsed).collect()}
    assert rows[2]["raw"] == "{broken"
    assert rows[3]["raw"] == "�x"
    assert {row["file"] for row in rows.values()} == {"part-00000.jsonl"}
    assert {row["feed"] for row in rows.values()} == {"events"}


def test_values_are_typed_and_times_are_utc(parse: ParseLines, spark: SparkSession) -> None:
    late = EVENT | {"event_id": "e2", "event_time": "2026-11-16T02:00:00+02:00", "position": 3.0}
    parsed = parse([late | {"query": " Ｒed \t MUG ", "price": 4}])
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


def test_a_blank_query_is_no_query(parse: ParseLines) -> None:
    assert [row["query"] for row in accepted(parse([EVENT | {"query": "  "}]))] == [None]


def test_lines_are_counted_across_the_blocks_of_a_file(spark: SparkSession, tmp_path: Path) -> None:
    lines: list[Line] = [EVENT | {"event_id": f"e{number}"} for number in range(400)]
    for number in (0, 130, 255, 399):
        lines[number] = f"broken {number}"
    paths = [write_lines(tmp_path, f"part-0000{part}.jsonl", lines) for part in range(2)]
    before = spark.conf.get("spark.sql.files.maxPartitionBytes")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "7000")
    try:
        parsed = parse_paths(spark, tmp_path, paths, "events")
        rows = quarantined_rows(parsed).select("file", "line", "raw").collect()
    finally:
        spark.conf.set("spark.sql.files.maxPartitionBytes", before)
    assert len({(group.file, group.block) for group in parsed.groups}) > 4
    assert set(map(tuple, rows)) == {
        (f"part-0000{part}.jsonl", number + 1, f"broken {number}")
        for part in range(2)
        for number in (0, 130, 255, 399)
    }


def test_a_column_missing_in_every_row_rejects_the_feed(parse: ParseLines) -> None:
    lacking = {name: value for name, value in EVENT.items() if name != "user_id"}
    with pytest.raises(DataError, match="the feed events lacks") as caught:
        parse([lacking, lacking | {"event_id": "e2"}, "{broken"])
    assert "user_id" in caught.value.expected
    assert str(DAY) in caught.value.where


def test_one_row_with_all_columns_is_enough(parse: ParseLines) -> None:
    lacking = {name: value for name, value in EVENT.items() if name != "user_id"}
    assert reasons_by_line(parse([lacking, EVENT])) == {1: "missing_key"}


def test_extra_columns_are_accepted_and_named(parse: ParseLines) -> None:
    parsed = parse([EVENT | {"campaign": "spring", "abroad": True}])
    assert parsed.extra_columns == ["abroad", "campaign"]
    assert len(accepted(parsed)) == 1


def test_a_catalogue_row_is_validated_by_its_own_contract(parse: ParseLines) -> None:
    parsed = parse(
        [
            ITEM,
            ITEM | {"item_id": "i2", "category_path": "Home"},
            ITEM | {"item_id": "i3", "stock": -1},
            ITEM | {"item_id": "i4", "first_seen": "soon"},
            ITEM | {"item_id": "i5", "first_seen": "2026-11-20"},
            ITEM | {"item_id": "i6", "first_seen": "2020-01-01"},
        ],
        feed="catalogue",
    )
    assert reasons_by_line(parsed) == {
        2: "wrong_type",
        3: "negative_quantity",
        4: "unparseable_time",
        5: "in_the_future",
    }
    rows = {row["item_id"]: row for row in accepted(parsed, "catalogue")}
    assert rows["i6"]["first_seen"] == date(2020, 1, 1)
    assert rows["i1"]["category_path"] == ["Home", "Kitchen"]


def test_csv_and_parquet_are_read_like_json_lines(spark: SparkSession, tmp_path: Path) -> None:
    rows = [
        ITEM | {"item_id": f"i{number}", "price": price, "stock": 2}
        for number, price in enumerate(("4.5", "cheap", "-1"))
    ]
    folder = tmp_path / f"day={DAY}"
    json_path = write_lines(tmp_path, "a.jsonl", [ITEM | {"item_id": "j0", "stock": 2}])
    flat = [
        row | {"category_path": "Home|Kitchen", "tags": "red", "regions": "north"} for row in rows
    ]
    pa.csv.write_csv(pa.Table.from_pylist(flat), folder / "b.csv")
    typed = [row | {"item_id": f"p{row['item_id']}", "price": 4.5} for row in rows[:1]]
    pa.parquet.write_table(pa.Table.from_pylist(typed), folder / "c.parquet")
    paths = [json_path, str(folder / "b.csv"), str(folder / "c.parquet")]
    parsed = parse_paths(spark, tmp_path, paths, "catalogue")
    quarantined = quarantined_rows(parsed).select("file", "line", "reason").collect()
    # Line 1 of a CSV file is its header.
    assert sorted(map(tuple, quarantined)) == [
        ("b.csv", 3, "wrong_type"),
        ("b.csv", 4, "negative_price"),
    ]
    found = {row["item_id"]: row for row in accepted(parsed, "catalogue")}
    assert sorted(found) == ["i0", "j0", "pi0"]
    first = found.pop("i0")
    assert all(row | {"item_id": "i0"} == first for row in found.values())
