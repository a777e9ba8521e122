"""Text of an item for the language model, and the hash under which a text is stored."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence

import pyarrow as pa

from grove.texts.markup import without_markup

ITEM_COLUMNS = ("title", "description", "brand", "category_path", "tags")


def item_text(
    title: str,
    description: str | None,
    brand: str | None,
    category_path: Sequence[str],
    tags: Sequence[str],
) -> str:
    """Join the attributes of an item into one text, the most informative first.

    Texts are truncated to a number of tokens, so the description, the longest part, is last. No
    domain words are added, so that the format suits any shop.

    Source: TreeBridge, Embedding Generation: title, tags and description in one sequence.
    Deviation: brand and category are included.

    HTML is kept in `items`, but the model should not spend its tokens on tags.

    Returns:
        NFC text with single spaces and without HTML; empty parts are skipped.

    Example:
        >>> item_text("Mug", None, "Acme", ["Home", "Kitchen"], ["red", "gift"])
        'Mug. Home > Kitchen. Acme. red, gift'
    """
    parts = (title, " > ".join(category_path), brand or "", ", ".join(tags), description or "")
    words = map(without_markup, parts)
    return normal_text(". ".join(part for part in words if part.strip()))


def query_text(query: str) -> str:
    """The text of a search keyword: the keyword as in `queries`.

    Example:
        >>> query_text("red mug")
        'red mug'
    """
    return normal_text(query)


def normal_text(text: str) -> str:
    """NFC with single spaces, so that equivalent texts have the same hash."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_hash(text: str) -> str:
    """SHA-256 of a text in hex; texts with the same NFC form share it.

    Example:
        >>> text_hash("red mug")[:12]
        '028a54da21c1'
    """
    return hashlib.sha256(unicodedata.normalize("NFC", text).encode()).hexdigest()


def item_texts(items: pa.Table) -> list[str]:
    """The text of every row of `items`, in order."""
    columns = (items.column(name).to_pylist() for name in ITEM_COLUMNS)
    return [item_text(*values) for values in zip(*columns, strict=True)]


def texts_by_hash(texts: Iterable[str]) -> dict[str, str]:
    """Hash → text, each text once, in the order of the hashes."""
    return dict(sorted((text_hash(text), text) for text in set(texts)))
