"""Defects between shop and landing zone: broken rows of every kind, and duplicates.

A broken row is an additional, corrupted copy of a good row. No good row is lost, so the oracle's
ranking of the day stays valid.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from grove.sources.marketplace.draws import generator

BROKEN_SHARE = 0.01
_DUPLICATE_SHARE = 0.004
_DUPLICATE_WITHIN = 2_000
"""A duplicate lands within so many rows after the first."""

Row = dict[str, Any]
Spoiler = Callable[[Row, date], Row | bytes]


def _dumped(row: Row) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def _malformed(row: Row, _day: date) -> bytes:
    text = _dumped(row)
    return text[: len(text) * 2 // 3]


def _not_utf8(row: Row, _day: date) -> bytes:
    return _dumped({**row, "query": "caf@"}).replace(b"caf@", b"caf\xe9")


def _without(key: str) -> Spoiler:
    return lambda row, _day: {name: value for name, value in row.items() if name != key}


def _with(key: str, value: object) -> Spoiler:
    return lambda row, _day: {**row, key: value}


def _moved(days: int) -> Spoiler:
    def spoil(row: Row, day: date) -> Row:
        return {**row, "event_time": f"{day + timedelta(days=days)}T12:00:00.000Z"}

    return spoil


EVENT_SPOILERS: dict[str, Spoiler] = {
    "malformed JSON": _malformed,
    "not UTF-8": _not_utf8,
    "missing key": _without("item_id"),
    "null in key": _with("user_id", None),
    "unknown event type": _with("event_type", "teleport"),
    "unparseable time": _with("event_time", "yesterday, half past eight"),
    "wrong type": _with("price", "free"),
    "negative price": _with("price", -4.95),
    "negative quantity": _with("quantity", -2),
    "absurd price": _with("price", 99_999_999.0),
    "in the future": _moved(5),
    "too late": _moved(-12),
}
"""Corruptions of an event, by kind; each occurs on every day that has enough rows."""

CATALOGUE_SPOILERS: dict[str, Spoiler] = {
    "malformed JSON": _malformed,
    "missing key": _without("title"),
    "null in key": _with("item_id", None),
    "negative price": _with("price", -1.0),
}
"""Corruptions of a catalogue row, one per day, round-robin."""


def spoil_events(seed: int, day: date, lines: pa.Array) -> pa.Array:
    """Add broken rows and duplicates to a day's event lines.

    Args:
        seed: of the shop.
        day: landing day.
        lines: good lines, in the order in which they land.

    Returns:
        Binary array with all lines of the day.
    """
    random = generator(seed, "defects", day.toordinal())
    count = len(lines)
    chosen = random.integers(0, max(count, 1), int(BROKEN_SHARE * count))
    repeated = np.flatnonzero(random.random(count) < _DUPLICATE_SHARE)
    texts = lines.take(pa.array(chosen)).to_pylist()
    broken = [_broken_event(text, number, day) for number, text in enumerate(texts)]
    everything = pa.chunked_array(
        [lines.cast(pa.binary()), lines.cast(pa.binary()).take(pa.array(repeated)),
         pa.array(broken, pa.binary())]
    )  # fmt: skip
    places = np.concatenate(
        [
            np.arange(count),
            repeated + 0.5 + random.integers(0, _DUPLICATE_WITHIN, len(repeated)),
            random.random(len(broken)) * count,
        ]
    )
    return everything.take(pa.array(np.argsort(places, kind="stable"))).combine_chunks()


def spoil_catalogue(index: int, day: date, lines: pa.Array) -> pa.Array:
    """Add the day's one broken row to the catalogue lines, at the end."""
    good = lines.cast(pa.binary())
    if len(lines) == 0:
        return good
    spoilers = tuple(CATALOGUE_SPOILERS.values())
    broken = _spoilt(json.loads(lines[0].as_py()), spoilers[index % len(spoilers)], day)
    return pa.concat_arrays([good, pa.array([broken], pa.binary())])


def _broken_event(text: str, number: int, day: date) -> bytes:
    spoilers = tuple(EVENT_SPOILERS.values())
    # An id of its own: a broken row must not be counted as the duplicate of a good one.
    row = {**json.loads(text), "event_id": f"B{day:%Y%m%d}-{number:06d}"}
    return _spoilt(row, spoilers[number % len(spoilers)], day)


def _spoilt(row: Row, spoiler: Spoiler, day: date) -> bytes:
    result = spoiler(row, day)
    return result if isinstance(result, bytes) else _dumped(result)
