"""Landed values → texts, identifiers and lists of texts."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from grove.landed.rows import NOT_UTF8, TOO_LONG, is_unicode, python_values

WRONG_TYPE = "wrong_type"
UNPRINTABLE_ID = "unprintable_id"
EMPTY_ELEMENT = "empty_element"

LIST_SEPARATOR = "|"
"""CSV has no lists; `a|b` is a list of two elements, and an empty field an empty list."""
MOST_ELEMENT_CHARACTERS = 500
MISSING_WORDS = frozenset(
    (
        "null",
        "none",
        "nan",
        "nat",
        "nil",
        "undefined",
        r"\n",
        "<na>",
        "<null>",
        "(null)",
        "n/a",
        "#n/a",
        "#null!",
    )
)
"""Texts, in lower case, that programs write for a missing value; as ids they would merge rows."""
_PLAIN_ID = r"\A[!-~]+\z"
_FLOAT_ID = re.compile(r"-?(0|[1-9][0-9]*)\.0+")
_ROUNDED_ID = re.compile(r"[0-9](\.[0-9]+)?[eE]\+[0-9]+")
_LOOKS_LIKE_NUMBER = r"\A\s*-?[0-9.]+([eE]\+[0-9]+)?\s*\z"
_MOST_EXACT = 2**53
"""From here on a float no longer holds every integer."""
_MOST_EXACT_OF = {pa.float16(): 2**11, pa.float32(): 2**24}

_Found = tuple[Any, str | None]
"""A converted value, and the reason why there is none."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A column in its table's type; a value that does not fit is null and has a reason."""

    values: pa.Array
    reasons: Mapping[int, str] = field(default_factory=dict)
    """Row → reason, of the rows that do not fit."""


def as_texts(values: list[Any] | pa.Array) -> Converted:
    """Convert a column of texts, as read.

    A number is written in digits. An object, a list or a truth value is `wrong_type`.
    """
    plain = _text_array(values)
    return Converted(values=plain) if plain is not None else _each(values, _text)


def limit_length(converted: Converted, longest: float | None) -> Converted:
    """Reject texts of more than `longest` characters as `too_long`; none: no limit."""
    if longest is None:
        return converted
    lengths = pc.utf8_length(converted.values)
    too_long = pc.fill_null(pc.greater(lengths, longest), fill_value=False)
    return with_reason(converted, too_long, TOO_LONG)


def as_ids(values: list[Any] | pa.Array, *, untyped: bool = False) -> Converted:
    """Convert a column of identifiers.

    Text is freed of surrounding white space and brought to Unicode NFC, so that no two
    identifiers look alike. An integer is written in digits, and so is a float that is one, because
    a data frame turns integers into floats where a value is missing; other floats are
    `wrong_type`. What programs write for a missing value is missing. Characters that cannot be seen
    make an identifier `unprintable_id`.

    Args:
        values: as read.
        untyped: whether the format has no types (CSV); then `17850.0` is the number 17850.
    """
    plain = _text_array(values)
    if plain is None:
        exact = _MOST_EXACT_OF.get(getattr(values, "type", None), _MOST_EXACT)
        return _each(values, partial(_id, exact=exact))
    unusual = pc.or_(
        pc.invert(pc.match_substring_regex(plain, _PLAIN_ID)),
        pc.is_in(pc.utf8_lower(plain), pa.array(sorted(MISSING_WORDS))),
    )
    if untyped:
        unusual = pc.or_(unusual, pc.match_substring_regex(plain, _LOOKS_LIKE_NUMBER))
    if not pc.any(unusual).as_py():
        return Converted(values=plain)
    return _each(plain, _untyped_id if untyped else _id)


def as_lists(values: list[Any] | pa.Array, *, split_texts: bool, most: float | None) -> Converted:
    """Convert a column of lists of texts.

    Args:
        values: as read.
        split_texts: whether a text is a list with separators, as in CSV; otherwise it is
            `wrong_type`.
        most: elements above which a list is `too_long`; none: no limit.
    """

    def convert(value: object) -> _Found:
        if isinstance(value, str) and split_texts:
            value = _split(value)
        if value is None:
            return None, None
        if not isinstance(value, list):
            return None, WRONG_TYPE
        return _elements(value) if most is None or len(value) <= most else (None, TOO_LONG)

    return _each(values, convert, pa.list_(pa.string()))


def _split(text: str) -> object:
    """The list that a text means: with separators, or written as JSON."""
    stripped = text.strip()
    if not stripped or stripped.lower() in MISSING_WORDS:
        return []
    if stripped[0] + stripped[-1] in ("[]", "{}"):
        try:
            return json.loads(stripped)
        except ValueError:
            return {}
    return text.split(LIST_SEPARATOR)


def with_reason(converted: Converted, mask: pa.Array, reason: str) -> Converted:
    """Make the masked values null, for a reason."""
    if not pc.any(mask).as_py():
        return converted
    rows = dict.fromkeys(pc.indices_nonzero(mask).to_pylist(), reason)
    empty = pa.scalar(None, converted.values.type)
    return Converted(
        values=pc.if_else(mask, empty, converted.values), reasons={**rows, **converted.reasons}
    )


def _each(
    values: list[Any] | pa.Array,
    convert: Callable[[object], _Found],
    kind: pa.DataType | None = None,
) -> Converted:
    """Convert value by value, for columns that are not what they should be."""
    found = [convert(value) for value in python_values(values)]
    return Converted(
        values=pa.array([value for value, _ in found], kind or pa.string()),
        reasons={row: reason for row, (_, reason) in enumerate(found) if reason},
    )


def _text_array(values: list[Any] | pa.Array) -> pa.Array | None:
    """The column as strings if all of its values are texts."""
    try:
        if isinstance(values, list):
            only_texts = set(map(type, values)) <= {str, type(None)}
            return pa.array(values, pa.string()) if only_texts else None
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        kind = values.type
        if not (pa.types.is_null(kind) or is_text(kind)):
            return None
        values.validate(full=True)
        return values.cast(pa.string())
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return None


def is_text(kind: pa.DataType) -> bool:
    """Whether an Arrow type holds texts."""
    types = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(holds(kind) for holds in types)


def _text(value: object) -> _Found:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None, None
    if isinstance(value, str):
        return (value, None) if is_unicode(value) else (None, NOT_UTF8)
    if isinstance(value, bytes):
        return None, NOT_UTF8
    if isinstance(value, UUID):
        return str(value), None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None, WRONG_TYPE
    return _digits(value) or str(value), None


def _id(value: object, *, exact: int = _MOST_EXACT) -> _Found:
    if isinstance(value, float | Decimal) and not math.isnan(value):
        digits = _digits(value, exact)
        return digits, None if digits else WRONG_TYPE
    text, reason = _text(value)
    if text is None:
        return None, reason
    identifier = unicodedata.normalize("NFC", text.strip())
    if not identifier or identifier.lower() in MISSING_WORDS:
        return None, None
    return (identifier, None) if identifier.isprintable() else (None, UNPRINTABLE_ID)


def _untyped_id(value: object) -> _Found:
    """An identifier of CSV: a float that is an integer is meant as one; a rounded one is lost."""
    text = value.strip() if isinstance(value, str) else ""
    if _FLOAT_ID.fullmatch(text):
        return _id(Decimal(text)) if abs(Decimal(text)) < _MOST_EXACT else (None, WRONG_TYPE)
    return (None, WRONG_TYPE) if _ROUNDED_ID.fullmatch(text) else _id(value)


def _digits(value: float | Decimal, exact: int = _MOST_EXACT) -> str | None:
    """An integer in digits; none if the number is no integer, or not exactly one."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value) or value != int(value):
        return None
    is_exact = isinstance(value, Decimal) or abs(int(value)) < exact
    return str(int(value)) if is_exact else None


def _elements(values: list[Any]) -> _Found:
    found = [_text(value) for value in values]
    reasons = [reason for _, reason in found if reason]
    texts = [text for text, _ in found]
    if reasons:
        return None, reasons[0]
    if any(text is None or not text.strip() for text in texts):
        return None, EMPTY_ELEMENT
    if any(len(text) > MOST_ELEMENT_CHARACTERS for text in texts):
        return None, TOO_LONG
    return texts, None
