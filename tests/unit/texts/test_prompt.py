"""The text of an item, and its hash."""

from __future__ import annotations

import hashlib

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from grove.texts.prompt import item_text, item_texts, query_text, text_hash, texts_by_hash


def test_the_description_comes_last() -> None:
    text = item_text("Mug", "Holds tea.", "Acme", ["Home", "Kitchen"], ["red", "gift"])
    assert text == "Mug. Home > Kitchen. Acme. red, gift. Holds tea."


def test_empty_parts_leave_no_trace() -> None:
    assert item_text("Mug", None, "", [], []) == "Mug"
    assert item_text(" Mug \n of tea ", "  ", None, [], []) == "Mug of tea"


def test_one_spelling_has_one_hash() -> None:
    assert text_hash("cafe\N{COMBINING ACUTE ACCENT}") == text_hash("café")
    assert text_hash("café") == hashlib.sha256("café".encode()).hexdigest()


def test_a_keyword_and_an_item_with_equal_text_share_a_vector() -> None:
    assert query_text("red  mug ") == item_text("red mug", None, None, [], [])
    assert len(texts_by_hash([query_text("red mug"), item_text(" red mug", None, "", [], [])])) == 1


@given(st.text())
def test_a_normal_text_stays_as_it_is(text: str) -> None:
    assert query_text(query_text(text)) == query_text(text)


def test_texts_of_a_table_in_its_order() -> None:
    items = pa.table(
        {
            "item_id": ["b", "a"],
            "title": ["Mug", "Shoe"],
            "description": [None, "Runs"],
            "brand": [None, "Acme"],
            "category_path": [[], ["Sport"]],
            "tags": [["red"], []],
        }
    )
    assert item_texts(items) == ["Mug. red", "Shoe. Sport. Acme. Runs"]


def test_texts_by_hash_are_ordered_and_unique() -> None:
    found = texts_by_hash(["b", "a", "b"])
    assert sorted(found) == list(found)
    assert sorted(found.values()) == ["a", "b"]
