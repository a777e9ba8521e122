"""Parquet as data frames write it, each file by its own schema."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from tests.unit.landed.landed_day import (
    ITEM,
    accepted,
    event_columns,
    parquet_file,
    read_feed,
    reasons,
)

from grove.errors import DataError

MOMENT = datetime(2026, 11, 19, 8, 0, 0, 123000, tzinfo=UTC)


def read(folder: Path, **changes: object) -> list[dict[str, object]]:
    return read_feed(folder, {"part.parquet": parquet_file(event_columns(2, **changes))})


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
def test_timestamps_of_any_unit_and_zone(tmp_path: Path, unit: str, zone: str | None) -> None:
    moment = MOMENT.replace(microsecond=0) if unit == "s" else MOMENT
    given = moment if zone else moment.replace(tzinfo=None)
    rows = read(tmp_path, event_time=pa.array([given] * 2, pa.timestamp(unit, zone)))
    assert [row["event_time"] for row in accepted(rows)] == [moment] * 2


def test_a_day_is_its_midnight_and_a_number_is_no_time(tmp_path: Path) -> None:
    rows = read(tmp_path, event_time=pa.array([date(2026, 11, 19)] * 2))
    assert accepted(rows)[0]["event_time"] == datetime(2026, 11, 19, tzinfo=UTC)
    assert set(reasons(read(tmp_path, event_time=[1763539262123] * 2)).values()) == {
        "unparseable_time"
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([17850.0, 123456789.0]), ["17850", "123456789"]),
        (pa.array([17850, 2**53 + 1]), ["17850", str(2**53 + 1)]),
        (pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
        (pa.array(["a", "b"], pa.string_view()), ["a", "b"]),
        (pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        (pa.array([b"a", b"b"]).cast(pa.string()), ["a", "b"]),
        (pa.array([Decimal("7.00"), Decimal("8.00")]), ["7", "8"]),
    ],
)
def test_identifiers_of_any_type_are_the_same_texts(
    tmp_path: Path, values: pa.Array, expected: list[str]
) -> None:
    assert [row["user_id"] for row in accepted(read(tmp_path, user_id=values))] == expected


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (pa.array([1.5, 2.5]), "wrong_type"),
        (pa.array([1e300, 2.0**60]), "wrong_type"),
        (pa.array([True, False]), "wrong_type"),
        (pa.array([["a"], []]), "wrong_type"),
        (pa.array([{"id": 1}, {"id": 2}]), "wrong_type"),
        (pa.array([date(2026, 1, 1)] * 2), "wrong_type"),
        (pa.array([float("nan"), None]), "missing_key"),
        (pa.nulls(2), "missing_key"),
        (pa.array([b"\xff", b"\xfe"]), "not_utf8"),
    ],
)
def test_what_is_no_identifier_is_rejected(tmp_path: Path, values: pa.Array, reason: str) -> None:
    files = {
        "a.parquet": parquet_file(event_columns(2, user_id=values)),
        "b.parquet": parquet_file(event_columns(1)),
    }
    rows = read_feed(tmp_path, files)
    assert [row["landed_reason"] for row in rows] == [reason, reason, None]


def test_each_file_has_its_own_schema(tmp_path: Path) -> None:
    files = {
        "a.parquet": event_columns(1, query=pa.nulls(1), price=[3], item_id=[7]),
        "b.parquet": event_columns(1, query=["mug"], price=[3.5], item_id=["7"]),
        "c.parquet": event_columns(1, price=["4.5"], item_id=[7.0], Event_ID=[1]),
        "d.parquet": event_columns(1, price=[float("nan")], item_id=["7"], **{"page.name": ["x"]}),
    }
    rows = read_feed(tmp_path, {name: parquet_file(table) for name, table in files.items()})
    assert reasons(rows) == {}
    assert [row["item_id"] for row in rows] == ["7"] * 4
    assert [row["price"] for row in rows] == [3.0, 3.5, 4.5, None]
    assert [row["query"] for row in rows] == [None, "mug", None, None]


def test_rows_are_numbered_through_row_groups_cut_into_blocks(tmp_path: Path) -> None:
    price = [1.0, -1.0, 1.0, -1.0, 1.0]
    content = parquet_file(event_columns(5, price=price), row_group_size=2)
    for block_bytes in (1, 10_000_000):
        rows = read_feed(tmp_path, {"a.parquet": content}, block_bytes=block_bytes)
        assert reasons(rows) == {2: "negative_price", 4: "negative_price"}
        assert len({row["landed_row"] for row in rows}) == 5


def test_a_rejected_row_is_kept_as_json_of_the_contract(tmp_path: Path) -> None:
    row = read(tmp_path, price=[-1.0, 2.0], unknown=["x", "y"])[0]
    assert '"price": -1.0' in str(row["landed_text"])


def test_a_file_of_another_feed_or_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="columns of the contract"):
        read_feed(tmp_path, {"a.parquet": parquet_file({"x": [1]})})
    table = pa.table(event_columns(1)).append_column("user_id", pa.array(["u"]))
    with pytest.raises(DataError, match="'user_id' twice"):
        read_feed(tmp_path, {"a.parquet": parquet_file(table)})


def test_a_damaged_page_says_so(tmp_path: Path) -> None:
    content = bytearray(parquet_file(event_columns(2000), compression="gzip"))
    content[50:200] = bytes(150)
    rows = read_feed(tmp_path, {"a.parquet": bytes(content)})
    assert rows[-1]["landed_reason"] == "unreadable"


@pytest.mark.parametrize(
    "values",
    [
        pa.array([2**62] * 2, pa.timestamp("us")),
        pa.array([-(2**62)] * 2, pa.timestamp("us", "UTC")),
        pa.array([2**50] * 2, pa.timestamp("s")),
        pa.array([(2**64 + 1795075262 * 10**6) // 10**6] * 2, pa.timestamp("s")),
        pa.array([2**62 + 1] * 2, pa.timestamp("ms")),
        pa.array([10**7] * 2, pa.int32()).cast(pa.date32()),
        pa.array([-(10**6)] * 2, pa.int32()).cast(pa.date32()),
    ],
)
def test_times_outside_the_calendar_reject_their_rows(tmp_path: Path, values: pa.Array) -> None:
    rows = read(tmp_path, event_time=values)
    assert set(reasons(rows).values()) == {"unparseable_time"}
    assert set(reasons(read(tmp_path, user_id=values)).values()) == {"wrong_type"}
    items = {name: [value] * 2 for name, value in ITEM.items()} | {"first_seen": values}
    found = read_feed(tmp_path, {"part.parquet": parquet_file(items)}, "catalogue")
    assert set(reasons(found).values()) == {"unparseable_time"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([16777215.0, 2.0], pa.float32()), ["16777215", "2"]),
        (pa.array([16777217.0, 2.0], pa.float32()), None),
        (pa.array([2049.0, 2.0], pa.float16()), None),
        (pa.array([2.0**53, 1.0]), None),
        (pa.array([Decimal(12345678901234567890)] * 2), ["12345678901234567890"] * 2),
        (pa.array([b"u1", b"u2"]), ["u1", "u2"]),
    ],
)
def test_identifiers_are_exact(
    tmp_path: Path, values: pa.Array, expected: list[str] | None
) -> None:
    rows = read(tmp_path, user_id=values)
    if expected is None:
        assert reasons(rows)[1] == "wrong_type"
    else:
        assert [row["user_id"] for row in accepted(rows)] == expected


def test_one_element_that_is_not_utf8_rejects_its_row_alone(tmp_path: Path) -> None:
    tags = pa.array([[b"red"], [b"\xff"]], pa.list_(pa.binary()))
    as_texts = pa.ListArray.from_arrays(tags.offsets, tags.values.view(pa.string()))
    for values in (tags, as_texts):
        items = {name: [value] * 2 for name, value in ITEM.items()}
        items |= {"item_id": ["i1", "i2"], "tags": values}
        rows = read_feed(tmp_path, {"part.parquet": parquet_file(items)}, "catalogue")
        assert reasons(rows) == {2: "not_utf8"}
        assert rows[0]["tags"] == ["red"]
