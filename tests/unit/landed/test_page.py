"""The page for authors of sources says what the readers do."""

from __future__ import annotations

from pathlib import Path

import grove.sources
from grove.landed.files import ENDINGS
from grove.landed.reasons import REASONS, UNREADABLE
from grove.landed.rows import MOST_LINE_BYTES
from grove.landed.texts import LIST_SEPARATOR

PAGE = Path(grove.sources.__path__[0], "README.md").read_text(encoding="utf-8")


def test_every_ending_and_reason_is_named() -> None:
    missing = {f"`{name}`" for name in (*ENDINGS, *REASONS) if name != UNREADABLE}
    assert {name for name in missing if name not in PAGE} == set()


def test_the_reasons_are_in_the_order_of_their_tests() -> None:
    places = [PAGE.index(f"`{reason}`") for reason in REASONS if reason != UNREADABLE]
    assert places == sorted(places)


def test_limits_and_separators_are_those_of_the_code() -> None:
    assert MOST_LINE_BYTES == 1024 * 1024
    assert "at most 1 MiB" in PAGE
    assert f"`a\\{LIST_SEPARATOR}b`" in PAGE
