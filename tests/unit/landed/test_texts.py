"""Texts, identifiers and lists of landed values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.landed.landed_day import EVENT, ITEM, accepted, read_lines, reasons

from grove.landed.texts import MISSING_WORDS, as_ids, as_lists, as_texts, limit_length


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("u1", "u1"),
        (" u1 ", "u1"),
        ("\N{NO-BREAK SPACE}u1\N{IDEOGRAPHIC SPACE}", "u1"),
        (17850, "17850"),
        (17850.0, "17850"),
        (1.23456789e8, "123456789"),
        (2**70, str(2**70)),
        ("17850.0", "17850.0"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "café"),
        ("A17 mug/3", "A17 mug/3"),
        ("{}", "{}"),
        ('["x"]', '["x"]'),
    ],
)
def test_identifiers(value: Any, expected: str) -> None:
    converted = as_ids([value])
    assert converted.values.to_pylist() == [expected]
    assert converted.reasons == {}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({}, "wrong_type"),
        ([], "wrong_type"),
        ([1], "wrong_type"),
        ([[1]], "wrong_type"),
        ({"a": 1}, "wrong_type"),
        (True, "wrong_type"),
        (False, "wrong_type"),
        (1.5, "wrong_type"),
        (2.0**60, "wrong_type"),
        (float("inf"), "wrong_type"),
        ("\ud800", "not_utf8"),
        ("a\x00b", "unprintable_id"),
        ("a\nb", "unprintable_id"),
        ("a\x1b[31mb", "unprintable_id"),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", "unprintable_id"),
        ("a\N{ZERO WIDTH SPACE}b", "unprintable_id"),
        ("a\N{LINE SEPARATOR}b", "unprintable_id"),
    ],
)
def test_what_is_no_identifier(value: Any, reason: str) -> None:
    converted = as_ids(["u1", value])
    assert converted.values.to_pylist() == ["u1", None]
    assert converted.reasons == {1: reason}


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "\N{NO-BREAK SPACE}",
        float("nan"),
        *sorted(MISSING_WORDS),
        "NULL",
        "NaN",
        r"\N",
    ],
)
def test_a_missing_identifier_is_missing(value: object) -> None:
    converted = as_ids(["u1", value])
    assert converted.values.to_pylist() == ["u1", None]
    assert converted.reasons == {}


def test_a_format_without_types_writes_floats_for_integers() -> None:
    values = pa.array(["17850.0", "-3.00", "1.5", "v1.0", "00123", "-0.0"])
    expected = ["17850", "-3", "1.5", "v1.0", "00123", "0"]
    assert as_ids(values, untyped=True).values.to_pylist() == expected
    spaced = as_ids(pa.array([" 17850.0 ", "00123.0", "1e5"]), untyped=True)
    assert spaced.values.to_pylist() == ["17850", "00123.0", "1e5"]


@pytest.mark.parametrize("text", ["1.23457E+12", "1e+17", "9007199254740993.0"])
def test_a_rounded_number_is_no_identifier(text: str) -> None:
    assert as_ids(pa.array([text, "u1"]), untyped=True).reasons == {0: "wrong_type"}
    assert as_ids([text]).values.to_pylist() == [text]


@given(st.lists(st.text(max_size=6), min_size=1, max_size=20))
def test_identifiers_do_not_depend_on_their_neighbours(texts: list[str]) -> None:
    together = as_ids(list(texts))
    for row, text in enumerate(texts):
        alone = as_ids([text])
        assert alone.values[0] == together.values[row]
        assert alone.reasons.get(0) == together.reasons.get(row)


@pytest.mark.parametrize("value", [{"id": 3}, ["a"], [], True, {}])
def test_an_object_is_no_text(value: object) -> None:
    assert as_texts(["Acme", value]).reasons == {1: "wrong_type"}


@pytest.mark.parametrize(
    "text", ['["Great" mug]', '{"x"', "true", "null", "5\N{REPLACEMENT CHARACTER}", "<b>Mug</b>"]
)
def test_a_text_may_look_like_anything(text: str) -> None:
    assert as_texts([text]).values.to_pylist() == [text]


def test_numbers_are_written_in_digits_and_long_texts_rejected() -> None:
    converted = limit_length(as_texts([7, 7.0, 7.5, None, "x" * 6]), 5)
    assert converted.values.to_pylist() == ["7", "7", "7.5", None, None]
    assert converted.reasons == {4: "too_long"}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["Home", None], "empty_element"),
        ([None], "empty_element"),
        ([""], "empty_element"),
        (["a", " "], "empty_element"),
        ([{"name": "Home"}], "wrong_type"),
        ([["Home"]], "wrong_type"),
        ([True], "wrong_type"),
        ("Home", "wrong_type"),
        ({"0": "Home"}, "wrong_type"),
        (7, "wrong_type"),
        (["x" * 501], "too_long"),
        (["x"] * 4, "too_long"),
        (["\ud800"], "not_utf8"),
    ],
)
def test_what_is_no_list_of_names(value: object, reason: str) -> None:
    converted = as_lists([["a"], value], split_texts=False, most=3)
    assert converted.values.to_pylist() == [["a"], None]
    assert converted.reasons == {1: reason}


def test_lists_of_names() -> None:
    converted = as_lists([["a", 7, 8.0], [], None], split_texts=False, most=None)
    assert converted.values.to_pylist() == [["a", "7", "8"], [], None]


def test_one_item_without_a_name_in_its_path_rejects_only_itself(tmp_path: Path) -> None:
    rows = read_lines(
        tmp_path,
        ITEM,
        ITEM | {"item_id": "i2", "category_path": ["Home", None]},
        ITEM | {"item_id": "i3", "regions": [None]},
        feed="catalogue",
    )
    assert reasons(rows) == {2: "empty_element", 3: "empty_element"}


def test_keywords_are_normal_after_the_check_of_their_type(tmp_path: Path) -> None:
    rows = read_lines(
        tmp_path, EVENT | {"query": " Ｒed \t MUG "}, EVENT | {"query": {"text": "mug"}}
    )
    assert [row["query"] for row in accepted(rows)] == ["red mug"]
    assert reasons(rows) == {2: "wrong_type"}
