"""HTML is left out of the texts the language model reads, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.texts.markup import without_markup
from grove.texts.prompt import item_text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<p>Red <b>mug</b></p>", "Red mug"),
        ("Line<br>break<br/>and<BR />more", "Line break and more"),
        ('<a href="http://x?a=1&b=2">link</a>', "link"),
        ("<ul><li>one</li><li>two</li></ul>", "one two"),
        ("a<!-- hidden -->b<style>p {x: y}</style>c<script>alert(1)</script>d", "a b c d"),
        ("Caf&eacute; &amp; bar &#39;90s", "Café & bar '90s"),
        ("I <3 mugs, 5 < 6 > 4, <b", "I <3 mugs, 5 < 6 > 4, <b"),
        ("x <y> z", "x <y> z"),
        ("AT&T", "AT&T"),
    ],
)
def test_markup(text: str, words: str) -> None:
    assert " ".join(without_markup(text).split()) == words


@given(st.text(st.characters(exclude_characters="<&")))
def test_a_text_without_markup_stays(text: str) -> None:
    assert without_markup(text) == text


def test_the_text_of_an_item_has_no_markup() -> None:
    text = item_text("<b>Mug</b>", "<p>Blue &amp; large</p>", "<br>", ["Home"], ["a<br>b"])
    assert text == "Mug. Home. a b. Blue & large"
