"""An error of a command names the variable, its text and a command that works."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from grove.datasets import Layout
from grove.errors import DataError, SettingsError
from grove.plain_text import visible
from grove.release.manifest import MANIFEST_FILE
from grove.runtime.files import write_text
from infra.local import __main__ as program
from infra.local.make_variables import DEFAULT_SOURCE, name_source, read_flag, read_port, read_range


@pytest.mark.parametrize(
    ("words", "variable", "found", "example"),
    [
        (["trigger", "--day", ""], "DAY", "nothing", "make trigger DAY=2026-08-20"),
        (["trigger"], "DAY", "nothing", "make trigger DAY=2026-08-20"),
        (["trigger", "--day", "monday"], "DAY", "monday", "make trigger DAY=2026-08-20"),
        (
            ["trigger", "--day", "2026-08-20", "--retrain", "no"],
            "RETRAIN",
            "no",
            "make trigger DAY=2026-08-20 RETRAIN=1",
        ),
        (["backfill", "--from", "", "--to", ""], "FROM", "nothing", "make backfill FROM="),
        (["backfill", "--from", "2026-08-20", "--to", ""], "TO", "nothing", "make backfill FROM="),
        (
            ["backfill", "--from", "2026-08-20", "--to", "2026-08-19"],
            "FROM and TO",
            "2026-08-20 and 2026-08-19",
            "make backfill FROM=",
        ),
        (["rollback", "--to", ""], "TO", "nothing", "make rollback TO="),
        (["export", "--to", ""], "TO", "nothing", "make export TO="),
        (["--source", "/srv/shop", "stop"], "SOURCE", "/srv/shop", "make run SOURCE="),
        (["--source", "../..", "rollback"], "SOURCE", "../..", "make run SOURCE="),
        (["--source", "", "stop"], "SOURCE", "nothing", "make run SOURCE="),
        (["--source", "a b[/]", "stop"], "SOURCE", "a b[/]", "make run SOURCE="),
        (["--port", "65536", "stop"], "PORT", "65536", "make run PORT=8081"),
        (["--port", "0", "stop"], "PORT", "0", "make run PORT=8081"),
        (["--port", "eighty", "stop"], "PORT", "eighty", "make run PORT=8081"),
    ],
)
def test_an_error_names_the_variable_and_shows_a_command(
    words: list[str], variable: str, found: str, example: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        program.execute(program.parse_arguments(words))
    error = caught.value
    assert (error.where, error.found) == (variable, found)
    assert example in error.next_step


def test_rollback_names_the_existing_releases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "HOMES", tmp_path)
    for release in ("2026-11-17.1", "2026-11-17.2"):
        write_text(Path(Layout(str(tmp_path / "shop")).releases(), release, MANIFEST_FILE), "{}")
    with pytest.raises(SettingsError, match=r"one of 2026-11-17\.1, 2026-11-17\.2"):
        program.execute(program.parse_arguments(["--source", "shop", "rollback"]))


def test_valid_values_are_read() -> None:
    assert [read_flag(text, "RETRAIN", "make trigger") for text in ("", "1")] == [False, True]
    assert read_range("2026-08-19", "2026-08-19") == (date(2026, 8, 19), date(2026, 8, 19))
    assert read_port("65535") == 65535


@pytest.mark.parametrize(
    ("message", "completed"),
    [
        ("`make stop`, then `make run`", "`make stop SOURCE=shop`, then `make run SOURCE=shop`"),
        ("make trigger DAY=2026-08-20", "make trigger SOURCE=shop DAY=2026-08-20"),
        ("make run SOURCE=other DATA=x", "make run SOURCE=other DATA=x"),
        ("make help, make running", "make help, make running"),
    ],
)
def test_a_command_in_a_message_names_its_source(message: str, completed: str) -> None:
    assert name_source(message, "shop") == completed
    assert name_source(message, DEFAULT_SOURCE) == message


def test_only_the_named_source_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    homes = [tmp_path / source for source in ("marketplace", "online-retail")]
    for home in homes:
        write_text(str(home / "settings.yaml"), "")
    stopped: list[list[Path]] = []
    monkeypatch.setattr(program, "HOMES", tmp_path)
    monkeypatch.setattr(program, "stop_all", lambda found: stopped.append(list(found)))
    program.execute(program.parse_arguments(["stop"]))
    program.execute(program.parse_arguments(["--source", "online-retail", "stop", "--this"]))
    assert stopped == [homes, [homes[1]]]
    with pytest.raises(DataError, match="never run"):
        program.execute(program.parse_arguments(["--source", "amazon-reviews", "stop", "--this"]))


@pytest.mark.parametrize("source", ["\\1", "\\g<9>", "\x1b[2J", "a\\"])
def test_a_source_that_is_no_name_ends_with_a_message_not_a_traceback(
    source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["grove", "--source", source, "recommend"])
    assert program.main() == SettingsError.exit_code
    shown = capsys.readouterr().err
    assert visible(source) in shown
    assert "\x1b" not in shown
