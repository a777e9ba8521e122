"""A progress bar is drawn only on a terminal."""

from __future__ import annotations

from grove.runtime import progress
from grove.runtime.progress import with_progress


def test_nothing_is_drawn_into_a_log(capsys):
    assert list(with_progress(range(3), "landing")) == [0, 1, 2]
    assert capsys.readouterr().err == ""


def test_a_terminal_shows_the_label(capsys, monkeypatch):
    monkeypatch.setattr(progress.sys.stderr, "isatty", lambda: True, raising=False)
    assert list(with_progress(iter(range(3)), "landing", total=3)) == [0, 1, 2]
