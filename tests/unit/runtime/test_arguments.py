"""The command line shared by all jobs."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import SettingsError
from grove.runtime.arguments import (
    at_least_one,
    days_between,
    job_parser,
    parse,
    reject_future,
    training_parser,
)
from grove.runtime.clock import utc_today

DOCUMENTATION = """Do one thing.

Reads nothing
"""


def parsed(*words, days="one"):
    return parse(job_parser(DOCUMENTATION, days=days), ["--settings", "s.yaml", *words])


def test_a_day_and_its_defaults():
    arguments = parsed("--day", "2026-08-20")
    assert arguments.day == date(2026, 8, 20)
    assert arguments.days == (arguments.day,)
    assert (arguments.settings, arguments.run_id) == ("s.yaml", "manual")


def test_the_first_paragraph_is_the_description():
    assert job_parser(DOCUMENTATION).description == "Do one thing."


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("GROVE_SETTINGS", "/etc/grove.yaml")
    assert parse(job_parser(DOCUMENTATION, days="none"), []).settings == "/etc/grove.yaml"


def test_an_empty_word_of_a_template_is_ignored():
    assert parsed("--day", "2026-08-20", "").day == date(2026, 8, 20)


def test_a_training_has_a_pass():
    command = ["--settings", "s.yaml", "--day", "2026-08-20"]
    assert parse(training_parser(DOCUMENTATION), command).training_pass == "candidate"
    update = parse(training_parser(DOCUMENTATION), [*command, "--pass", "update"])
    assert (update.training_pass, update.day) == ("update", date(2026, 8, 20))
    with pytest.raises(SystemExit):
        training_parser(DOCUMENTATION).parse_args([*command, "--pass", "both"])


def test_a_range_covers_both_ends():
    arguments = parsed("--from", "2026-08-20", "--to", "2026-08-22", days="range")
    assert arguments.days == tuple(date(2026, 8, day) for day in (20, 21, 22))
    assert arguments.day == date(2026, 8, 20)


def test_one_day_is_a_range_of_one():
    assert parsed("--day", "2026-08-20", days="range").days == (date(2026, 8, 20),)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "2026-08-20"),
        ("--from", "2026-08-22", "--to", "2026-08-20"),
        ("--day", "2026-08-20", "--from", "2026-08-20", "--to", "2026-08-20"),
        ("--day", "2026-08-20", "--from", "2026-08-20"),
        ("--day", "20.8.2026"),
    ],
)
def test_an_invalid_range_is_rejected(words, capsys):
    with pytest.raises(SystemExit):
        parsed(*words, days="range")
    assert "error:" in capsys.readouterr().err


def test_a_day_in_the_future_is_rejected():
    tomorrow = utc_today() + timedelta(days=1)
    with pytest.raises(SettingsError, match="the day is in the future"):
        reject_future(parsed("--day", str(tomorrow)))
    reject_future(parsed("--day", str(utc_today())))
    reject_future(parsed(days="none"))


@given(st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1)), st.integers(-3, 40))
def test_days_between_are_consecutive(first, length):
    days = days_between(first, first + timedelta(days=length))
    assert len(days) == max(0, length + 1)
    assert all(after - before == timedelta(days=1) for before, after in pairwise(days))


@pytest.mark.parametrize("text", ["0", "-3", "ten", "1.5", ""])
def test_a_count_is_at_least_one(text):
    assert at_least_one("1") == 1
    with pytest.raises(ArgumentTypeError, match="at least 1"):
        at_least_one(text)
