"""Tables on the terminal show landed values as they are, and send it no control sequence."""

from __future__ import annotations

import io
import sys

import pytest
from tests.unit.test_plain_text import HOSTILE

from grove.plain_text import visible
from grove.runtime import terminal
from grove.runtime.terminal import show_table


@pytest.mark.parametrize("text", [*HOSTILE, ":smile:", "[link=http://host.example]x[/link]"])
def test_a_value_is_no_markup_in_a_cell_a_heading_or_a_title(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "NARROWEST", 300)
    show_table(text, ("item", text), [("i1", text), (text, None)])
    shown = capsys.readouterr().out
    assert shown.count(visible(text)) == 4
    assert all(line.isprintable() for line in shown.splitlines())


def test_a_terminal_of_another_encoding_shows_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", out)
    show_table("é", ("item",), [("杯",)])
    out.flush()
    shown = out.buffer.getvalue()
    assert b"\\xe9" in shown
    assert b"\\u676f" in shown


def test_numbers_and_nothing_are_cells(capsys: pytest.CaptureFixture[str]) -> None:
    show_table("u1", ("price", "stock"), [(0.55, None), (0, 3)])
    assert "0.55" in capsys.readouterr().out
