"""Numbers, times and days of landed values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.landed.numbers import as_booleans, as_days, as_integers, as_numbers, as_times

MORNING = datetime(2026, 8, 20, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-08-20T08:00:00Z",
        "2026-08-20T08:00:00.000Z",
        "2026-08-20T08:00:00.000000000Z",
        "2026-08-20T08:00:00,0Z",
        "2026-08-20T08:00Z",
        "2026-08-20T08Z",
        "2026-08-20T08:00",
        "2026-08-20 08:00:00",
        "2026-08-20 08:00:00 UTC",
        "2026-08-20t08:00:00z",
        "2026-08-20T10:00+02:00",
        "2026-08-20T10:00:00+0200",
        "2026-08-20 10:00:00+02",
        "2026-08-20T03:30:00-04:30",
        "20260820T080000Z",
        " 2026-08-20T08:00:00Z ",
    ],
)
def test_forms_of_a_time(text: str) -> None:
    assert as_times([text]).values.to_pylist() == [MORNING]
    # Beside a value of the common form, which is read in another way.
    assert as_times(["2026-08-20T08:00:00Z", text]).values.to_pylist() == [MORNING] * 2


@pytest.mark.parametrize(
    "text", ["2026-08-20", "2026-08-19T24:00:00Z", "2026-08-19T24:00", "20260820"]
)
def test_midnight(text: str) -> None:
    assert as_times([text]).values.to_pylist() == [datetime(2026, 8, 20, tzinfo=UTC)]


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "08:01",
        "2026-08",
        "2026-13-01T00:00:00Z",
        "2026-08-20x08:00:00Z",
        "2026-08-20T08:00:00 Europe/Berlin",
        "2026-08-20T08:61:00Z",
        "２０２６-08-20T08:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "0000-01-01T00:00:00Z",
        "2026-08-20T08:01.5Z",
        "2026-08-20T08.5Z",
        "1763539262123",
        1763539262123,
        1.5,
    ],
)
def test_what_is_no_time(value: object) -> None:
    converted = as_times(["2026-08-20T08:00:00Z", value])
    assert converted.values.to_pylist() == [MORNING, None]
    assert converted.reasons == {1: "unparseable_time"}


@pytest.mark.parametrize("value", [{}, [], True, {"seconds": 1}])
def test_an_object_is_no_time(value: object) -> None:
    assert as_times([value]).reasons == {0: "wrong_type"}


def test_an_empty_time_is_missing() -> None:
    converted = as_times(["", None])
    assert converted.values.null_count == 2
    assert converted.reasons == {}


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)),  # noqa: DTZ001 — zones are drawn
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from(["auto", "minutes", "seconds", "milliseconds", "microseconds"]),
)
def test_what_python_writes_is_read_back(moment: datetime, minutes: int, spec: str) -> None:
    zoned = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    text = zoned.isoformat(timespec=spec)
    expected = datetime.fromisoformat(text).astimezone(UTC)
    assert as_times([text]).values.to_pylist() == [expected]


@pytest.mark.parametrize(
    "value",
    [
        "2026-08-20",
        "2026-08-20T00:00:00",
        "2026-08-20T00:00:00.000Z",
        "2026-08-20 00:00:00",
        "2026-08-20T00:00:00+02:00",
        "20260820",
        datetime(2026, 8, 20, tzinfo=UTC),
        date(2026, 8, 20),
    ],
)
def test_forms_of_a_day(value: object) -> None:
    assert as_days([value]).values.to_pylist() == [date(2026, 8, 20)]


@pytest.mark.parametrize("value", ["soon", "2026-08-20T08:00:00", "2026-08", 20260820])
def test_what_is_no_day(value: object) -> None:
    assert as_days([value]).reasons == {0: "unparseable_time"}


def test_days_of_a_data_frame() -> None:
    midnights = pa.array([datetime(2026, 8, 20)], pa.timestamp("ms"))  # noqa: DTZ001
    assert as_days(midnights).values.to_pylist() == [date(2026, 8, 20)]
    assert as_days(midnights.cast(pa.date64())).values.to_pylist() == [date(2026, 8, 20)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([float("nan")], [None]),
        ([10**400, 1e400], [None, float("inf")]),
        ([True, "4.5", {}], [None, None, None]),
        ([2**70], [float(2**70)]),
    ],
)
def test_numbers_of_json(values: list[Any], expected: list[float | None]) -> None:
    converted = as_numbers(values, from_texts=False)
    assert converted.values.to_pylist() == expected
    misfits = {row for row, value in enumerate(values) if isinstance(value, bool | str | dict)}
    assert set(converted.reasons) == misfits | {n for n, v in enumerate(values) if v == 10**400}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4.5", 4.5), (" -1e3 ", -1000.0), (".5", 0.5), ("+7.", 7.0), ("", None), ("NaN", None)],
)
def test_numbers_of_texts(text: str, expected: float | None) -> None:
    converted = as_numbers([text], from_texts=True)
    assert converted.values.to_pylist() == [expected]
    assert converted.reasons == {}


@pytest.mark.parametrize("text", ["cheap", "1_000", "1,5", "0x10", "inf", "٣", "4.5 EUR"])
def test_what_is_no_number(text: str) -> None:
    assert as_numbers([text], from_texts=True).reasons == {0: "wrong_type"}


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0"])
def test_integers(value: object) -> None:
    assert as_integers([value], pa.int32(), from_texts=True).values.to_pylist() == [3]


@pytest.mark.parametrize("value", [1.5, 3_000_000_000, -3e9, float("inf"), "x", True])
def test_what_is_no_integer(value: object) -> None:
    assert as_integers([value, 1], pa.int32(), from_texts=True).reasons == {0: "wrong_type"}


def test_truth_values() -> None:
    converted = as_booleans([True, "FALSE", "1", None, "maybe", 7], from_texts=True)
    assert converted.values.to_pylist() == [True, False, True, None, None, None]
    assert converted.reasons == {4: "wrong_type", 5: "wrong_type"}
