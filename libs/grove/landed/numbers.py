"""Landed values → numbers, truth values, times and days."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.landed.rows import python_values
from grove.landed.texts import MISSING_WORDS, WRONG_TYPE, Converted, is_text, with_reason

UNPARSEABLE_TIME = "unparseable_time"

TIMESTAMP = pa.timestamp("us", tz="UTC")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_COMMON_TIME = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z\z"
_NAIVE = pa.timestamp("us")
_UNITS = {"s": 1_000_000, "ms": 1_000, "us": 1, "ns": 1}
"""Microseconds per unit; nanoseconds have been cast before."""
_DAY_MICROSECONDS = 86_400_000_000
_YEARS_MICROSECONDS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
"""First and last microsecond of the years 1 to 9999, from 1970."""
_DATE_CHARACTERS = 10
_FRACTION_OF_SECONDS = re.compile(r"[T ][0-9]{2}:?[0-9]{2}:?[0-9]{2}[.,][0-9]")
_END_OF_DAY = re.compile(r"T24(:?00){0,2}([.,]0+)?(?=$|Z|[+-])")
_WORDS = {"true": True, "false": False, "1": True, "0": False}


def as_numbers(values: list[Any] | pa.Array, *, from_texts: bool) -> Converted:
    """Convert a column of numbers to double; not-a-number is a missing value.

    Args:
        values: as read.
        from_texts: whether texts are read as numbers, as in CSV and Parquet; in JSON a text is
            `wrong_type`.
    """
    numbers = _number_array(values)
    if numbers is not None:
        return Converted(values=pc.if_else(pc.is_nan(numbers), None, numbers))
    found = [_number(value, from_texts=from_texts) for value in python_values(values)]
    return Converted(
        values=pa.array(
            [None if isinstance(value, str) else value for value in found], pa.float64()
        ),
        reasons={row: value for row, value in enumerate(found) if isinstance(value, str)},
    )


def as_integers(values: list[Any] | pa.Array, kind: pa.DataType, *, from_texts: bool) -> Converted:
    """Convert a column of integers; `3.0` is 3, and `3.5` is `wrong_type`.

    Args:
        values: as read.
        kind: int32 or int64.
        from_texts: as for `as_numbers`.
    """
    converted = as_numbers(values, from_texts=from_texts)
    doubles = converted.values.to_numpy(zero_copy_only=False)
    limit = 2.0 ** (kind.bit_width - 1)
    with np.errstate(invalid="ignore"):
        fits = (np.floor(doubles) == doubles) & (doubles >= -limit) & (doubles < limit)
    misfits = pa.array(~fits & ~np.isnan(doubles))
    whole = with_reason(converted, misfits, WRONG_TYPE)
    return Converted(values=whole.values.cast(kind), reasons=whole.reasons)


def as_booleans(values: list[Any] | pa.Array, *, from_texts: bool) -> Converted:
    """Convert a column of truth values; texts may say true, false, 1 or 0."""
    found: list[Any] = []
    for value in python_values(values):
        text = value.strip().lower() if from_texts and isinstance(value, str) else ""
        known = value if value is None or isinstance(value, bool) else _WORDS.get(text, WRONG_TYPE)
        found.append(known)
    return Converted(
        values=pa.array([None if isinstance(value, str) else value for value in found], pa.bool_()),
        reasons={row: value for row, value in enumerate(found) if isinstance(value, str)},
    )


def as_times(values: list[Any] | pa.Array) -> Converted:
    """Convert a column of times to microseconds in UTC.

    Times are ISO-8601: with or without seconds, with a point or a comma before the fraction, with
    `Z`, an offset, or, in UTC, none. A day alone is its midnight.
    """
    if isinstance(values, pa.Array) and pa.types.is_temporal(values.type):
        return _times_of_frame(values)
    plain = _common_times(values)
    if plain is None:
        return _convert_times(values, _time, TIMESTAMP)
    return _within_years(plain, plain.values, 1)


def as_days(values: list[Any] | pa.Array) -> Converted:
    """Convert a column of days; a time of midnight adds nothing to its day."""
    if isinstance(values, pa.Array) and pa.types.is_temporal(values.type):
        return _days_of_frame(values)
    return _convert_times(values, _day, pa.date32())


def _number_array(values: list[Any] | pa.Array) -> pa.Array | None:
    """The column as doubles if all of its values are numbers."""
    if isinstance(values, list):
        if not set(map(type, values)) <= {int, float, type(None)}:
            return None
        try:
            return pa.array(values, pa.float64())
        except (OverflowError, pa.ArrowInvalid):
            return None
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if any(holds(values.type) for holds in kinds):
        return values.cast(pa.float64(), safe=False)
    return None


def _number(value: object, *, from_texts: bool) -> float | str | None:
    """A number, none if it is missing, or the reason why it is neither."""
    if isinstance(value, str) and from_texts:
        text = value.strip()
        if not text or text.lower() in MISSING_WORDS:
            return None
        return float(text) if _NUMBER.fullmatch(text) else WRONG_TYPE
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return WRONG_TYPE
    try:
        return None if math.isnan(value) else float(value)
    except OverflowError:
        return WRONG_TYPE


def _common_times(values: list[Any] | pa.Array) -> Converted | None:
    """Times of the most common form at once; none if any has another form."""
    if isinstance(values, pa.Array):
        texts = values if is_text(values.type) else None
    else:
        texts = pa.array(values) if set(map(type, values)) <= {str, type(None)} else None
    try:
        if texts is None:
            return None
        texts = texts.cast(pa.string())
        common = pc.fill_null(pc.match_substring_regex(texts, _COMMON_TIME), fill_value=True)
        return Converted(values=texts.cast(TIMESTAMP)) if pc.all(common).as_py() else None
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None


def _times_of_frame(values: pa.Array) -> Converted:
    if pa.types.is_date(values.type):
        days = _days_of_frame(values)
        return Converted(values=days.values.cast(_NAIVE).cast(TIMESTAMP), reasons=days.reasons)
    if not pa.types.is_timestamp(values.type):
        return _no_times(values, TIMESTAMP)
    held = _within_years(Converted(values=values), values, _UNITS[values.type.unit])
    micros = held.values.cast(pa.timestamp("us", values.type.tz), safe=False)
    return Converted(values=micros.cast(TIMESTAMP), reasons=held.reasons)


def _days_of_frame(values: pa.Array) -> Converted:
    """Days, and times that are midnights where they were written."""
    if pa.types.is_date(values.type):
        days = values.cast(pa.date32())
        return _within_years(Converted(values=days), days.cast(pa.int32()), _DAY_MICROSECONDS)
    if not pa.types.is_timestamp(values.type):
        return _no_times(values, pa.date32())
    held = _within_years(Converted(values=values), values, _UNITS[values.type.unit])
    written = pc.local_timestamp(held.values) if values.type.tz else held.values
    midnights = pc.floor_temporal(written, unit="day")
    later = pc.fill_null(pc.not_equal(written, midnights), fill_value=False)
    days = Converted(values=midnights.cast(pa.date32()), reasons=held.reasons)
    return with_reason(days, later, UNPARSEABLE_TIME)


def _within_years(converted: Converted, counts: pa.Array, micros_per_unit: int) -> Converted:
    """Without what lies outside the years 1 to 9999, such as the infinity of a database."""
    numbers = counts.cast(pa.int64())
    low, high = (bound // micros_per_unit for bound in _YEARS_MICROSECONDS)
    outside = pc.or_(pc.less(numbers, low), pc.greater(numbers, high))
    return with_reason(converted, pc.fill_null(outside, fill_value=False), UNPARSEABLE_TIME)


def _no_times(values: pa.Array, kind: pa.DataType) -> Converted:
    rows = pc.indices_nonzero(pc.is_valid(values)).to_pylist()
    return Converted(
        values=pa.nulls(len(values), kind), reasons=dict.fromkeys(rows, UNPARSEABLE_TIME)
    )


def _convert_times(
    values: list[Any] | pa.Array, parse: Callable[[object], date | str], kind: pa.DataType
) -> Converted:
    times: list[Any] = []
    reasons: dict[int, str] = {}
    for row, value in enumerate(python_values(values)):
        found = None if value is None or value == "" else parse(value)
        times.append(None if isinstance(found, str) else found)
        if isinstance(found, str):
            reasons[row] = found
    return Converted(values=pa.array(times, kind), reasons=reasons)


def _time(value: object) -> datetime | str:
    """A time in UTC, or the reason why it is none."""
    written = _written_time(value)
    if isinstance(written, str):
        return written
    try:
        return written.replace(tzinfo=written.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        return UNPARSEABLE_TIME


def _day(value: object) -> date | str:
    """A day, or the reason why it is none."""
    written = _written_time(value)
    if isinstance(written, str):
        return written
    return written.date() if written.time() == time() else UNPARSEABLE_TIME


def _written_time(value: object) -> datetime | str:
    """A time as it was written, with its offset if it has one."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, bool | list | dict | bytes):
        return WRONG_TYPE
    return _parsed_time(value) if isinstance(value, str) else UNPARSEABLE_TIME


def _parsed_time(value: str) -> datetime | str:
    text = value.strip().upper().removesuffix(" UTC")
    separator = text[_DATE_CHARACTERS : _DATE_CHARACTERS + 1]
    is_separated = separator in ("", "T", " ") or "T" in text
    # Python would read a fraction of a minute or an hour as one of a second.
    has_odd_fraction = ("." in text or "," in text) and not _FRACTION_OF_SECONDS.search(text)
    if not text.isascii() or not is_separated or has_odd_fraction:
        return UNPARSEABLE_TIME
    try:
        ended = _END_OF_DAY.sub("T00:00", text)
        return datetime.fromisoformat(ended) + timedelta(days=ended != text)
    except (ValueError, OverflowError):
        return UNPARSEABLE_TIME
