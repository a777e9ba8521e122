"""Search keywords in their normal form."""

from __future__ import annotations

import unicodedata

import pyarrow as pa


def normal_keyword(text: str) -> str | None:
    """A keyword in Unicode NFKC, lower case, with single spaces; none if it is blank.

    Example:
        >>> normal_keyword(" Red  MUG ")
        'red mug'
    """
    composed = text if text.isascii() else unicodedata.normalize("NFKC", text)
    return " ".join(composed.lower().split()) or None


def normal_keywords(texts: pa.Array) -> pa.Array:
    """All keywords of a column in their normal form; each distinct one is normalised once."""
    encoded = texts.dictionary_encode()
    known = [normal_keyword(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(known, pa.string()).take(encoded.indices)
