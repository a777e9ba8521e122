"""Landed text is shown as it is, and JSON of it can be encoded and read back."""

from __future__ import annotations

import json
import re

import pytest

from grove.plain_text import json_text, visible

HOSTILE = (
    "Mug [/b] half price",
    "[bold red]sale[/]",
    "<script>alert(1)</script>",
    "<img src=http://host.example/pixel.png>",
    "\x1b]8;;http://host.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b[2Jgone",
    "over\rwritten\x08",
    "=cmd|' /C calc'!A0",
    "{a,b}*.?",
    "%2e%2e/$HOME `id`",
    "a\x00b",
    "a\u202egum\u202c",
    "a\u2066b\ufeff\u200b\u2028",
    "\ud800 alone",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_shown_is_printable_and_says_what_there_is(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    without_escapes = re.sub(r"\\(x..|u....|r)", "", shown)
    assert without_escapes == "".join(letter for letter in text if letter.isprintable())


@pytest.mark.parametrize(
    "text", ["Thé 杯 😀", "👩\u200d🚀", "می\u200cخواهم", "\xa0tab", "a\\nb", "[x] <y> {z}"]
)
def test_letters_of_all_scripts_and_joined_emoji_stay(text: str) -> None:
    assert visible(text) == text


def test_line_breaks_stay_only_where_asked() -> None:
    assert visible("a\nb\tc") == "a\\nb\\tc"
    assert visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@pytest.mark.parametrize("text", HOSTILE)
def test_json_of_any_text_is_utf_8_and_reads_back_equal(text: str) -> None:
    value = {text: [text, {"title": text}]}
    assert json.loads(json_text(value).encode("utf-8")) == value


def test_equal_values_give_equal_json_and_letters_stay() -> None:
    assert json_text({"b": 1, "a": "é"}) == json_text({"a": "é", "b": 1}) == '{"a": "é", "b": 1}'
