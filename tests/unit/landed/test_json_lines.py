"""JSON lines: what is a row, its line number, and what a malformed one does to the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.landed.landed_day import EVENT, accepted, json_file, read_feed, read_lines, reasons

from grove.landed import rows as rows_of_files
from grove.landed.rows import MOST_LINE_BYTES

TEXT = json.dumps(EVENT)


def test_blank_lines_are_no_rows_and_keep_the_numbers_right(tmp_path: Path) -> None:
    rows = read_lines(tmp_path, "", TEXT, "  \t", "{broken", "", "")
    assert len(rows) == 2
    assert reasons(rows) == {4: "malformed"}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_end_as_on_any_system(tmp_path: Path, end: bytes) -> None:
    content = json_file(EVENT, "{broken", EVENT, end=end)
    rows = read_feed(tmp_path, {"part.jsonl": content})
    assert len(rows) == 3
    assert reasons(rows) == {2: "malformed"}


def test_byte_order_marks_are_ignored(tmp_path: Path) -> None:
    joined = b"\xef\xbb\xbf" + json_file(EVENT) + b"\xef\xbb\xbf" + json_file(EVENT)
    assert len(accepted(read_feed(tmp_path, {"part.jsonl": joined}))) == 2


@pytest.mark.parametrize(
    "line",
    [
        TEXT + TEXT,
        f"{TEXT} {TEXT}",
        TEXT + " and text",
        TEXT + " // a comment",
        "null",
        "17",
        '"text"',
        '["a list"]',
        "{}{}",
        "{this is no JSON",
        TEXT[:-1] + ', "user_id": "u2"}',
        TEXT[:-1] + ', "price": 1, "price": 2}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"price": ' + "9" * 5_000 + "}",
    ],
)
def test_a_line_that_is_not_exactly_one_object_is_malformed(tmp_path: Path, line: str) -> None:
    rows = read_lines(tmp_path, TEXT, line, TEXT)
    assert reasons(rows) == {2: "malformed"}
    assert len(accepted(rows)) == 2


def test_a_repeated_name_inside_an_unknown_field_hurts_nothing(tmp_path: Path) -> None:
    (row,) = read_lines(tmp_path, TEXT[:-1] + ', "extra": {"a": 1, "a": 2}}')
    assert row["landed_reason"] is None


def test_bytes_that_are_not_utf8_are_kept_readable(tmp_path: Path) -> None:
    (row,) = read_lines(tmp_path, b'{"event_id": "\xff\xfe"}')
    assert row["landed_reason"] == "not_utf8"
    assert (
        row["landed_text"] == '{"event_id": "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"}'
    )


def test_half_a_surrogate_pair_is_not_utf8(tmp_path: Path) -> None:
    lone = [TEXT.replace("u1", rf"\ud80{digit}") for digit in range(3)]
    rows = read_lines(tmp_path, *lone, TEXT.replace("u1", r"\ud83d\ude00"))
    assert reasons(rows) == {1: "not_utf8", 2: "not_utf8", 3: "not_utf8"}
    assert [row["user_id"] for row in accepted(rows)] == ["\N{GRINNING FACE}"]


def test_a_line_without_end_is_rejected_alone_and_shortened(tmp_path: Path) -> None:
    endless = json.dumps(EVENT | {"title": "x" * (3 * MOST_LINE_BYTES)})
    rows = read_lines(tmp_path, TEXT, endless, TEXT)
    assert reasons(rows) == {2: "too_long"}
    assert len(rows[1]["landed_text"]) == 65_536
    assert len(accepted(rows)) == 2


def test_unknown_fields_are_named_for_every_row(tmp_path: Path) -> None:
    rows = read_lines(tmp_path, TEXT, *[EVENT | {"page.name": 1, "Event_ID": 2}] * 3)
    assert set(rows[0]["landed_fields"]) - set(EVENT) == {"page.name", "Event_ID"}
    assert [row["landed_fields"] for row in rows[1:]] == [None] * 3


lines = st.lists(
    st.sampled_from([TEXT, "", "{broken", "  ", TEXT + TEXT, "é" * 40, "null"]), max_size=12
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=lines, block_bytes=st.integers(1, 300), crlf=st.booleans(), ended=st.booleans())
def test_blocks_of_any_size_give_the_same_rows(
    tmp_path: Path, lines: list[str], block_bytes: int, crlf: bool, ended: bool
) -> None:
    content = json_file(*lines, end=b"\r\n" if crlf else b"\n")
    content = content if ended else content.rstrip(b"\r\n")
    whole = read_feed(tmp_path, {"a.jsonl": content})
    cut = read_feed(tmp_path, {"a.jsonl": content}, block_bytes=block_bytes)
    kept = ("landed_line", "landed_reason", "landed_text", "event_id")
    assert [[row[name] for name in kept] for row in cut] == [
        [row[name] for name in kept] for row in whole
    ]
    filled = [number for number, line in enumerate(lines, start=1) if line.strip()]
    assert [row["landed_line"] for row in whole] == filled
    assert len({row["landed_row"] for row in cut}) == len(cut)


def test_carriage_returns_are_found_in_a_file_of_many_blocks(tmp_path: Path) -> None:
    content = json_file(EVENT, "{broken", EVENT, end=b"\r")
    rows = read_feed(tmp_path, {"part.jsonl": content}, block_bytes=100)
    assert reasons(rows) == {2: "malformed"}
    assert len(rows) == 3


def test_a_long_first_line_keeps_the_numbers_right(tmp_path: Path) -> None:
    first = json.dumps(EVENT | {"title": "x"}).ljust(65_535)
    rows = read_feed(tmp_path, {"part.jsonl": json_file(first, "{broken", TEXT, end=b"\r\n")})
    assert reasons(rows) == {2: "malformed"}


def test_a_file_of_only_a_byte_order_mark_has_no_rows(tmp_path: Path) -> None:
    assert read_feed(tmp_path, {"part.jsonl": b"\xef\xbb\xbf"}) == []


def test_long_lines_are_typed_in_small_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_files, "BATCH_CHARACTERS", 100)
    rows = read_lines(tmp_path, *[TEXT] * 10)
    assert sum(row["landed_fields"] is not None for row in rows) > 2
    assert len(accepted(rows)) == 10
