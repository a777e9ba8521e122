"""CSV as RFC 4180 defines it: quotes, line breaks in fields, columns in any order, lists."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.landed.landed_day import EVENT, ITEM, accepted, read_feed, reasons

from grove.errors import DataError
from grove.landed import csv_lines
from grove.landed import rows as rows_of_files
from grove.landed.rows import MOST_LINE_BYTES

HEADER = ",".join(EVENT)
ROW = ",".join(EVENT.values())
ITEM_HEADER = "item_id,title,brand,category_path,tags,price,regions,first_seen"


def read(folder: Path, text: str | bytes, feed: str = "events") -> list[dict[str, object]]:
    content = text.encode() if isinstance(text, str) else text
    return read_feed(folder, {"part.csv": content}, feed)


def titles(folder: Path, *fields: str) -> list[object]:
    rows = "".join(f"i{n},{field},,A,,1,,2026-11-19\n" for n, field in enumerate(fields))
    return [row["title"] for row in accepted(read(folder, f"{ITEM_HEADER}\n{rows}", "catalogue"))]


def test_quotes_are_written_twice(tmp_path: Path) -> None:
    fields = ['"Rail 12"" steel, black"', '"""Great"" mug"', '5" pot', r'"back\slash, end\"']
    expected = ['Rail 12" steel, black', '"Great" mug', '5" pot', "back\\slash, end\\"]
    assert titles(tmp_path, *fields) == expected


def test_line_breaks_in_fields_and_right_line_numbers(tmp_path: Path) -> None:
    text = (
        f'{ITEM_HEADER}\r\ni1,"two\r\nlines",,A,,1,,2026-11-19\r\n\r\ni2,Mug,,A,,-1,,2026-11-19\r\n'
    )
    rows = read(tmp_path, text, "catalogue")
    assert [row["title"] for row in accepted(rows)] == ["two\r\nlines"]
    assert reasons(rows) == {5: "negative_price"}


def test_columns_are_found_by_name_in_each_file(tmp_path: Path) -> None:
    turned = ",".join(reversed(EVENT)) + ",page.name,day\n"
    files = {
        "a.csv": f"{HEADER}\n{ROW}\n",
        "b.csv": turned + ",".join(reversed(EVENT.values())) + ",x,1999-01-01\n",
        "c.csv": "﻿" + HEADER.replace(",", ", ") + ",price\n" + ROW + ",4.5\n",
    }
    rows = read_feed(tmp_path, {name: text.encode() for name, text in files.items()})
    assert reasons(rows) == {}
    assert [row["user_id"] for row in rows] == ["u1"] * 3
    assert [row["price"] for row in rows] == [None, None, 4.5]
    assert {str(row["day"]) for row in rows} == {"2026-11-19"}
    assert "page.name" in rows[1]["landed_fields"]


def test_an_empty_field_is_an_empty_list_and_a_missing_text(tmp_path: Path) -> None:
    text = f'{ITEM_HEADER}\ni1,Mug,,A|B,,1,"",2026-11-19\ni2,Pot,"",A,red|blue,,north,2026-11-19\n'
    first, second = accepted(read(tmp_path, text, "catalogue"))
    assert (first["tags"], first["regions"], first["category_path"]) == ([], [], ["A", "B"])
    assert (second["tags"], second["price"], second["brand"]) == (["red", "blue"], None, None)


@pytest.mark.parametrize("lists", ["a||b", "|a", "a| |b"])
def test_an_empty_element_is_no_name(tmp_path: Path, lists: str) -> None:
    rows = read(tmp_path, f"{ITEM_HEADER}\ni1,Mug,,A,{lists},1,,2026-11-19\n", "catalogue")
    assert reasons(rows) == {2: "empty_element"}


@pytest.mark.parametrize(
    "broken",
    [
        ROW + ",more",
        ROW.rsplit(",", 1)[0],
        'e9,"never closed,u,i,t',
        '"e9"x,click,u,i,2026-11-19T08:00:00Z',
    ],
)
def test_a_malformed_row_does_not_swallow_the_next(tmp_path: Path, broken: str) -> None:
    rows = read(tmp_path, f"{HEADER}\n{ROW}\n{broken}\n{ROW}\n{ROW}\n")
    assert reasons(rows) == {3: "malformed"}
    assert len(accepted(rows)) == 3
    assert [row["landed_text"] for row in rows if row["landed_reason"]] == [broken]


def test_blank_lines_and_repeated_headers_are_no_rows(tmp_path: Path) -> None:
    text = f"{HEADER}\n{ROW}\n\n{HEADER}\n{ROW}\n   \n"
    assert len(accepted(read(tmp_path, text))) == 2


def test_bytes_that_are_not_utf8_reject_their_row(tmp_path: Path) -> None:
    content = f"{HEADER}\n{ROW}\n".encode() + ROW.replace("u1", "\xff").encode("latin-1") + b"\n"
    assert reasons(read(tmp_path, content)) == {3: "not_utf8"}


def test_a_replacement_character_that_landed_is_text(tmp_path: Path) -> None:
    assert titles(tmp_path, "a\N{REPLACEMENT CHARACTER}b") == ["a\N{REPLACEMENT CHARACTER}b"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (HEADER.replace(",", ";"), "separated by ';'"),
        (HEADER.replace(",", "\t"), "separated by"),
        ("e1,click,u1,i1", "e1,click"),
        (HEADER + ",user_id", "'user_id' twice"),
    ],
)
def test_a_header_of_no_use_names_the_file(tmp_path: Path, header: str, found: str) -> None:
    with pytest.raises(DataError) as caught:
        read(tmp_path, f"{header}\n")
    assert found in caught.value.found
    assert caught.value.where.endswith("part.csv")


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    assert read(tmp_path, HEADER) == []


texts = st.text(st.sampled_from(list('a",\n\r|é \\;')), max_size=10)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(texts, min_size=1, max_size=8), shuffled=st.permutations(list(ITEM)))
def test_what_pythons_writer_writes_is_read_back(
    tmp_path: Path, values: list[str], shuffled: list[str]
) -> None:
    sink = io.StringIO()
    writer = csv.DictWriter(sink, shuffled)
    writer.writeheader()
    flat = {"category_path": "A|B", "tags": "", "regions": ""}
    for number, value in enumerate(values):
        writer.writerow(ITEM | flat | {"item_id": f"i{number}", "title": value})
    rows = read(tmp_path, sink.getvalue(), "catalogue")
    assert len(rows) == len(values)
    for row, value in zip(rows, values, strict=True):
        assert row["landed_reason"] == (None if value.strip() else "missing_key")
        assert value.strip() == "" or row["title"] == value


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("before", ["", "{end}", "﻿{end} {end}"])
def test_a_header_behind_blank_lines_and_lines_of_any_system(
    tmp_path: Path, end: str, before: str
) -> None:
    blank = before.format(end=end)
    text = f"{blank}{HEADER}{end}{ROW}{end}{ROW},more{end}"
    rows = read(tmp_path, text)
    assert len(accepted(rows)) == 1
    assert reasons(rows) == {blank.count(end) + 3: "malformed"}


def test_a_header_with_a_line_break_in_a_name(tmp_path: Path) -> None:
    rows = read(tmp_path, f'{HEADER},"Note\n(internal)"\n{ROW},x\n{ROW}\n')
    assert len(accepted(rows)) == 1
    assert reasons(rows) == {4: "malformed"}


def test_a_damaged_beginning_is_refused_by_name(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(f"{HEADER}\n{ROW}\n".encode() * 50))
    content[14:40] = b"\xff" * 26
    with pytest.raises(DataError) as caught:
        read_feed(tmp_path, {"part.csv.gz": bytes(content)})
    assert caught.value.where.endswith("part.csv.gz")


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('"[""Home"",""Kitchen""]"', ["Home", "Kitchen"]),
        ("[]", []),
        ("NULL", []),
        (r"\N", []),
        ("nan", []),
        ("['Home']", None),
        ("{Home}", None),
        ("[Home", ["[Home"]),
    ],
)
def test_lists_of_other_writers(tmp_path: Path, cell: str, expected: list[str] | None) -> None:
    rows = read(tmp_path, f"{ITEM_HEADER}\ni1,Mug,,A,{cell},1,,2026-11-19\n", "catalogue")
    if expected is None:
        assert reasons(rows) == {2: "wrong_type"}
    else:
        assert [row["tags"] for row in accepted(rows)] == [expected]


def test_nulls_of_a_database_are_missing(tmp_path: Path) -> None:
    header = HEADER + ",price,query\n"
    rows = read(tmp_path, header + ROW + ",\\N,\\N\n" + ROW + ",NULL,mug\n")
    assert [(row["price"], row["query"]) for row in accepted(rows)] == [(None, None), (None, "mug")]
    assert reasons(read(tmp_path, header + ROW.replace("u1", r"\N") + ",1,\n")) == {
        2: "missing_key"
    }


@pytest.mark.parametrize("name", ["u1", "17850.0", "00123"])
def test_a_space_before_a_quote_is_another_dialect(tmp_path: Path, name: str) -> None:
    rows = read(tmp_path, f'{HEADER}\n{ROW.replace("u1", f" {name} ")}\ne2,click, "u1",i1,x\n')
    assert [row["user_id"] for row in accepted(rows)] == [name.removesuffix(".0")]
    assert reasons(rows) == {3: "malformed"}


def test_an_endless_line_does_not_swallow_the_next(tmp_path: Path) -> None:
    endless = "k," * (MOST_LINE_BYTES // 2) + '"ab,cdefgh"'
    rows = read(tmp_path, f'{HEADER}\n{endless}\n{ROW}\n{ROW},5"\n{ROW}\n')
    assert reasons(rows) == {2: "too_long", 4: "malformed"}
    assert len(accepted(rows)) == 2


def test_a_file_full_of_odd_quotes_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "MOST_GIVEN_BACK", 10_000)
    odd = 'b",",c,d,e,f\n' * 2_000
    rows = read(tmp_path, f"{HEADER}\n{odd}{ROW}\n")
    assert len(rows) == 2_001
    assert [row["landed_line"] for row in accepted(rows)] == [2_002]


def test_long_rows_are_typed_in_small_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows_of_files, "BATCH_CHARACTERS", 100)
    rows = read(tmp_path, f"{HEADER}\n" + f"{ROW}\n" * 10)
    assert sum(row["landed_fields"] is not None for row in rows) > 2
    assert len(accepted(rows)) == 10
