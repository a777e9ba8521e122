"""Random tables in every format: read back equal, or rejected with a reason; rows conserved."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.landed.landed_day import (
    DAY,
    EVENT,
    LIMITS,
    feed_reader,
    json_file,
    parquet_file,
    read_feed,
)

from grove.errors import DataError
from grove.landed import REASONS, batch_schema

identifiers = st.sampled_from(["u1", "ü", "17", "a b", "x/y", '"q"', "a,b", "<&>", "ﬁ"])
words = st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1, max_size=8)
moments = st.datetimes(datetime(2026, 11, 17), datetime(2026, 11, 19, 23))  # noqa: DTZ001
good_events = st.fixed_dictionaries(
    {
        "event_id": identifiers,
        "event_type": st.sampled_from(["click", "order", "impression"]),
        "user_id": identifiers,
        "item_id": identifiers,
        "event_time": moments.map(lambda moment: moment.replace(tzinfo=UTC)),
    },
    optional={
        "title": words,
        "price": st.floats(0, LIMITS.max_price) | st.integers(0, 1000),
        "position": st.integers(1, 10**9),
        "query": st.sampled_from(["mug", "red mug"]),
    },
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**25), 10**25)
    | st.floats()
    | st.text(max_size=6)
    | st.dates().map(str),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(words, values, max_size=2),
    max_leaves=4,
)
any_events = st.dictionaries(
    st.sampled_from([*EVENT, "title", "price", "position", "query", "page.name", "Event_ID"]),
    anything,
    max_size=8,
)
slow = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def in_every_format(rows: list[dict[str, Any]]) -> dict[str, bytes]:
    """The same rows as JSON lines, compressed JSON lines, CSV and Parquet."""
    texts = [row | {"event_time": row["event_time"].isoformat()} for row in rows]
    names = sorted({name for row in rows for name in row})
    sink = io.StringIO()
    writer = csv.DictWriter(sink, names)
    writer.writeheader()
    writer.writerows(texts)
    columns = {name: [row.get(name) for row in rows] for name in names}
    columns |= {name: list(map(float_or_none, columns[name])) for name in names if name == "price"}
    return {
        "a.jsonl": json_file(*texts),
        "b.ndjson.gz": gzip.compress(json_file(*texts)),
        "c.csv": sink.getvalue().encode(),
        "d.parquet": parquet_file(columns),
    }


def float_or_none(value: float | None) -> float | None:
    return None if value is None else float(value)


@slow
@given(st.lists(good_events, min_size=1, max_size=6))
def test_a_good_table_is_read_back_alike_in_every_format(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    found = read_feed(tmp_path, in_every_format(rows))
    assert len(found) == 4 * len(rows)
    columns = feed_reader().contract.column_names
    for number, row in enumerate(rows):
        expected = dict.fromkeys(columns) | row
        expected["user_id"] = expected["user_id"].replace("\N{LATIN SMALL LIGATURE FI}", "ﬁ")
        for copy in found[number :: len(rows)]:
            assert copy["landed_reason"] is None
            same = {name: copy[name] for name in columns}
            # CSV cannot distinguish an empty text from a missing one.
            assert same | {"title": same["title"] or None} == expected | {
                "title": expected["title"] or None
            }


@slow
@given(st.lists(any_events, max_size=8))
def test_any_objects_are_conserved(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    content = json_file(*(json.dumps(row) for row in rows))
    found = read_feed(tmp_path, {"a.jsonl": content})
    assert len(found) == len(rows)
    assert {row["landed_reason"] for row in found} <= {None, *REASONS}
    assert all(row["landed_text"] for row in found if row["landed_reason"])
    for row in found:
        if row["landed_reason"] is None:
            assert all(row[name] is not None for name in EVENT)


@slow
@given(st.binary(max_size=200), st.sampled_from(["a.jsonl", "a.csv"]))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes, name: str) -> None:
    header = ",".join(EVENT).encode() + b"\n" if name == "a.csv" else b""
    try:
        found = read_feed(tmp_path, {name: header + b"x\n" + content})
    except DataError:
        return
    assert all(row["landed_reason"] in REASONS for row in found)


values = st.one_of(
    st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.none() | st.floats(), min_size=3, max_size=3),
    st.lists(st.none() | st.text(max_size=5), min_size=3, max_size=3),
    st.lists(st.none() | st.dates(), min_size=3, max_size=3),
    st.lists(st.none() | st.times(), min_size=3, max_size=3),
    st.lists(st.none() | st.binary(max_size=4), min_size=3, max_size=3),
    st.lists(st.none() | st.lists(st.text(max_size=3), max_size=2), min_size=3, max_size=3),
    st.lists(st.decimals(-999, 999, places=2), min_size=3, max_size=3),
)


@slow
@given(st.dictionaries(st.sampled_from([*EVENT, "title", "price", "position"]), values, min_size=1))
def test_any_columns_of_parquet_are_conserved(tmp_path: Path, columns: dict[str, Any]) -> None:
    table = pa.table({name: pa.array(column) for name, column in columns.items()})
    found = read_feed(tmp_path, {"a.parquet": parquet_file(table)})
    assert len(found) == 3
    assert {row["landed_reason"] for row in found} <= {None, *REASONS}


def test_rows_carry_their_position_and_day(tmp_path: Path) -> None:
    reader = feed_reader()
    rows = read_feed(tmp_path, {"b/z.jsonl": json_file(EVENT), "a.jsonl": json_file(EVENT, "x")})
    assert [(row["landed_file"], row["landed_line"]) for row in rows] == [
        ("a.jsonl", 1),
        ("a.jsonl", 2),
        ("b/z.jsonl", 1),
    ]
    assert sorted(row["landed_row"] for row in rows) == [row["landed_row"] for row in rows]
    assert {row["day"] for row in rows} == {DAY}
    assert set(rows[0]) == set(batch_schema(reader.contract, reader.table).names)
    assert isinstance(rows[0]["day"], date)
