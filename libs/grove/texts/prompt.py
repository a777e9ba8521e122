"""What a language model is told about an item, and the name a text is stored under."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence

import pyarrow as pa

ITEM_COLUMNS = ("title", "description", "brand", "category_path", "tags")


def item_text(
    title: str,
    description: str | None,
    brand: str | None,
    category_path: Sequence[str],
    tags: Sequence[str],
) -> str:
    """Join what is known of an item into one text, the most telling first.

    Texts are cut after a number of tokens, so the description, the longest part, comes last.
    No word of a shop's trade is added: the same text serves shoes and songs.

    Source: TreeBridge, Embedding Generation: title, tags and description in
    one sequence; brand and category are ours.

    Returns:
        NFC text with single spaces; empty parts leave no trace.

    Example:
        >>> item_text("Mug", None, "Acme", ["Home", "Kitchen"], ["red", "gift"])
        'Mug. Home > Kitchen. Acme. red, gift'
    """
    parts = (title, " > ".join(category_path), brand or "", ", ".join(tags), description or "")
    return normal_text(". ".join(part for part in parts if part.strip()))


def query_text(query: str) -> str:
    """The text of a search keyword: itself, as `queries` keeps it.

    Example:
        >>> query_text("red mug")
        'red mug'
    """
    return normal_text(query)


def normal_text(text: str) -> str:
    """NFC with single spaces, so that a text has one spelling and one hash."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_hash(text: str) -> str:
    """SHA-256 of a text in hex; texts that differ in spelling only by NFC share it.

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
