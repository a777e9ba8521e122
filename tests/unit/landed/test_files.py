"""Every file of a landed day is read, is known bookkeeping, or is refused by name."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from tests.unit.landed.landed_day import EVENT, accepted, json_file, read_feed

from grove.errors import DataError

ROW = json_file(EVENT)


@pytest.mark.parametrize(
    "name",
    [
        "part.jsonl",
        "part-00000-c000.json",
        "part.ndjson",
        "PART.JSONL",
        "part-2026-08-18T08:00.jsonl",
        "part-[1].jsonl",
        "{a,b}*?.jsonl",
        "hour=03/z.jsonl",
        "day=1999-01-01/part.jsonl",
        "with space/100%25#?.jsonl",
    ],
)
def test_a_file_is_read_whatever_its_name_looks_like(tmp_path: Path, name: str) -> None:
    (row,) = read_feed(tmp_path, {name: ROW})
    assert row["landed_reason"] is None
    assert row["landed_file"] == name


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.json.gz", "a.ndjson.GZ", "a.jsonl"])
def test_compressed_lines_are_read_by_their_content(tmp_path: Path, name: str) -> None:
    assert len(accepted(read_feed(tmp_path, {name: gzip.compress(ROW)}))) == 1


def test_compressed_csv_is_read(tmp_path: Path) -> None:
    text = ",".join(EVENT) + "\n" + ",".join(EVENT.values()) + "\n"
    assert len(accepted(read_feed(tmp_path, {"a.csv.gz": gzip.compress(text.encode())}))) == 1


@pytest.mark.parametrize(
    "name", ["_part.jsonl", ".part.jsonl", "_temporary/0/part.jsonl", ".hidden/part.csv"]
)
def test_a_hidden_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        read_feed(tmp_path, {"part.jsonl": ROW, name: ROW})
    assert caught.value.where.endswith(name)
    assert "start with _ or ." in caught.value.expected


@pytest.mark.parametrize(
    "name", ["part.txt", "part.tsv", "part", "part.jsonl.zst", "part.parquet.gz", "part.xlsx"]
)
def test_an_unknown_ending_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError) as caught:
        read_feed(tmp_path, {name: ROW})
    assert caught.value.where.endswith(name)
    assert ".jsonl" in caught.value.expected


def test_a_name_that_cannot_be_printed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="printable"):
        read_feed(tmp_path, {"part\n1.jsonl": ROW})


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.jsonl", '{"a": 1}'.encode("utf-16"), "UTF-16"),
        ("a.csv", "a,b".encode("utf-16"), "UTF-16"),
        ("a.jsonl", b"PK\x03\x04rest", "ZIP"),
        ("a.csv", b"PAR1....PAR1", "Parquet"),
        ("a.json", b'\xef\xbb\xbf [\n{"a": 1}]', "a JSON list"),
        ("a.json.gz", gzip.compress(b"[1]"), "a JSON list"),
        ("a.csv.gz", gzip.compress(gzip.compress(b"a,b")), "gzip"),
        ("a.parquet", b"", "Parquet"),
        ("a.parquet", b"PAR1....", "Parquet"),
        ("a.parquet", ROW, "Parquet"),
    ],
)
def test_other_content_than_the_name_says_is_refused(
    tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    with pytest.raises(DataError, match="cannot be read") as caught:
        read_feed(tmp_path, {name: content})
    assert caught.value.where.endswith(name)
    assert found in caught.value.expected + caught.value.found


@pytest.mark.parametrize("name", ["_SUCCESS", ".part.jsonl.crc", "_committed_17", ".DS_Store"])
def test_bookkeeping_of_writers_holds_no_rows(tmp_path: Path, name: str) -> None:
    assert len(read_feed(tmp_path, {"part.jsonl": ROW, name: b"\x00"})) == 1


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.jsonl.gz"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    content = gzip.compress(b"") if name.endswith("gz") else b""
    assert read_feed(tmp_path, {name: content}) == []


def test_a_truncated_file_says_so_behind_its_rows(tmp_path: Path) -> None:
    lines = json_file(*(EVENT | {"event_id": f"e{n}"} for n in range(20_000)))
    rows = read_feed(tmp_path, {"a.jsonl.gz": gzip.compress(lines)[:-2000]})
    assert rows[-1]["landed_reason"] == "unreadable"
    assert "EOFError" in rows[-1]["landed_text"]
