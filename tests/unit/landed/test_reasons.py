"""Reasons of rejection: the first that applies, and the same as the table's constraints."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.landed.landed_day import EVENT, ITEM, Line, accepted, read_lines, reasons

from grove.contracts import Check
from grove.landed.reasons import REASONS, breaks

BAD_EVENTS: list[tuple[Line, str]] = [
    ("{this is no JSON", "malformed"),
    ("null", "malformed"),
    ('["a list"]', "malformed"),
    (b'{"event_id": "\xff\xfe"}', "not_utf8"),
    (EVENT | {"price": "cheap"}, "wrong_type"),
    (EVENT | {"position": 1.5}, "wrong_type"),
    (EVENT | {"position": 3_000_000_000}, "wrong_type"),
    (EVENT | {"user_id": {"nested": 1}}, "wrong_type"),
    (EVENT | {"device": {"nested": 1}}, "wrong_type"),
    (EVENT | {"user_id": "u\x00"}, "unprintable_id"),
    ({**EVENT, "user_id": None}, "missing_key"),
    ({name: value for name, value in EVENT.items() if name != "item_id"}, "missing_key"),
    (EVENT | {"user_id": "  "}, "missing_key"),
    (EVENT | {"event_time": ""}, "missing_key"),
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


def test_every_broken_event_gets_its_reason_and_its_line(tmp_path: Path) -> None:
    rows = read_lines(tmp_path, EVENT, *(line for line, _ in BAD_EVENTS))
    expected = {number: reason for number, (_, reason) in enumerate(BAD_EVENTS, start=2)}
    assert reasons(rows) == expected
    assert [row["event_id"] for row in accepted(rows)] == ["e1"]


def test_reasons_have_an_order_without_repeats() -> None:
    assert len(set(REASONS)) == len(REASONS)
    assert {reason for _, reason in BAD_EVENTS} <= set(REASONS)


def test_the_first_reason_that_applies_is_given(tmp_path: Path) -> None:
    worse = EVENT | {"event_type": "wink", "price": -5, "event_time": "never"}
    rows = read_lines(tmp_path, EVENT, worse, worse | {"device": []}, worse | {"user_id": None})
    assert reasons(rows) == {2: "unknown_event_type", 3: "wrong_type", 4: "missing_key"}


def test_a_rejected_row_is_kept_as_it_landed(tmp_path: Path) -> None:
    rows = read_lines(tmp_path, EVENT, "  {broken", EVENT | {"price": -1})
    texts = [row["landed_text"] for row in rows]
    assert texts == [None, "{broken", json.dumps(EVENT | {"price": -1})]


def test_an_item_is_validated_by_its_own_contract(tmp_path: Path) -> None:
    rows = read_lines(
        tmp_path,
        ITEM,
        ITEM | {"item_id": "i2", "category_path": "Home"},
        ITEM | {"item_id": "i3", "stock": -1},
        ITEM | {"item_id": "i4", "first_seen": "soon"},
        ITEM | {"item_id": "i5", "first_seen": "2026-11-20"},
        ITEM | {"item_id": "i6", "first_seen": "2020-01-01T00:00:00"},
        ITEM | {"item_id": "i7", "title": " \N{NO-BREAK SPACE}"},
        ITEM | {"item_id": "i8", "title": "x" * 2_001},
        ITEM | {"item_id": "i9", "tags": ["x"] * 1_001},
        feed="catalogue",
    )
    assert reasons(rows) == {
        2: "wrong_type",
        3: "negative_quantity",
        4: "unparseable_time",
        5: "in_the_future",
        7: "missing_key",
        8: "too_long",
        9: "too_long",
    }


bounds = st.none() | st.integers(-3, 6).map(float)


@given(
    st.lists(st.none() | st.integers(-5, 8).map(float), min_size=1, max_size=12),
    bounds,
    bounds,
)
def test_ranges_equal_the_reference_implementation(
    values: list[float | None], low: float | None, high: float | None
) -> None:
    check = Check(
        name="r", kind="range", severity="fail", columns=("x",), minimum=low, maximum=high
    )
    expected = [
        None
        if value is None
        else (low is not None and value < low) or (high is not None and value > high)
        for value in values
    ]
    assert breaks(check, pa.array(values, pa.float64())).to_pylist() == expected


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("length", ["", "é", "xxx", None], [True, False, True, None]),
        ("items", [[], ["a"], ["a"] * 3, None], [True, False, True, None]),
    ],
)
def test_lengths(kind: str, values: list[object], expected: list[bool | None]) -> None:
    check = Check(
        name="c",
        kind=kind,  # type: ignore[arg-type]
        severity="fail",
        columns=("x",),
        minimum=1,
        maximum=2,
    )
    assert breaks(check, pa.array(values)).to_pylist() == expected
