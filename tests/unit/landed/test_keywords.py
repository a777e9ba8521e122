"""Normal form of search keywords."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.landed.keywords import normal_keyword, normal_keywords


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Red  MUG\t", "red mug"),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("ﬁne café", "fine café"),
        ("", None),
        ("   ", None),
    ],
)
def test_normal_forms(text: str, expected: str | None) -> None:
    assert normal_keyword(text) == expected


letters = st.text(st.sampled_from(list("aZé ﬀ½Ａ①ñ\t\u0301")), max_size=8)


@given(st.lists(st.none() | letters, max_size=40))
def test_a_column_equals_its_texts_one_by_one(texts: list[str | None]) -> None:
    expected = [
        None if text is None else " ".join(unicodedata.normalize("NFKC", text).lower().split())
        for text in texts
    ]
    found = normal_keywords(pa.array(texts, pa.string())).to_pylist()
    assert found == [text or None for text in expected]
