"""How a job ended, as an exit code and as a log entry."""

from __future__ import annotations

import re
from argparse import Namespace
from datetime import date, timedelta

import pytest

from grove.errors import (
    BUG_EXIT_CODE,
    DATA_EXIT_CODE,
    INFRASTRUCTURE_EXIT_CODE,
    BugError,
    DataError,
    InfrastructureError,
    SettingsError,
)
from grove.runtime import job
from grove.runtime.clock import utc_today
from grove.runtime.job import run_job

ARGUMENTS = Namespace(day=date(2026, 8, 20), days=(date(2026, 8, 20),))


@pytest.fixture(autouse=True)
def untied(monkeypatch):
    monkeypatch.setattr(job, "die_with_parent", lambda: None)


def ended(error=None):
    def run(_arguments):
        if error is not None:
            raise error

    return run_job(run, ARGUMENTS)


def grove_error(kind):
    return kind("it broke", where="here", expected="whole", found="pieces", next_step="mend it")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (grove_error(DataError), DATA_EXIT_CODE),
        (grove_error(SettingsError), DATA_EXIT_CODE),
        (grove_error(BugError), BUG_EXIT_CODE),
        (grove_error(InfrastructureError), INFRASTRUCTURE_EXIT_CODE),
        (RuntimeError("a bug"), INFRASTRUCTURE_EXIT_CODE),
    ],
)
def test_every_end_has_its_exit_code(error, code):
    assert ended(error) == code


def test_only_what_another_try_may_mend_shares_the_retried_code():
    assert len({DATA_EXIT_CODE, BUG_EXIT_CODE, INFRASTRUCTURE_EXIT_CODE}) == 3
    assert BUG_EXIT_CODE == 70  # EX_SOFTWARE; the operators of the DAGs know it by this number


def test_an_error_of_ours_is_told_without_a_traceback(capsys):
    ended(grove_error(DataError))
    told = capsys.readouterr().err
    assert "DataError: it broke" in told
    assert "next:     mend it" in told
    assert "Traceback" not in told


def test_an_unexpected_error_keeps_its_traceback(capsys):
    ended(RuntimeError("a bug"))
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "RuntimeError: a bug" in told


def test_every_line_names_time_level_job_and_day(capsys):
    ended(grove_error(DataError))
    line = capsys.readouterr().err.splitlines()[0]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ERROR test_job 2026-08-20 DataError", line)


def test_an_interruption_is_not_swallowed():
    with pytest.raises(KeyboardInterrupt):
        ended(KeyboardInterrupt())


def test_a_job_is_not_run_for_a_day_that_has_not_begun():
    def run(_arguments):
        pytest.fail("the job was run")

    tomorrow = utc_today() + timedelta(days=1)
    assert run_job(run, Namespace(day=tomorrow, days=(tomorrow,))) == DATA_EXIT_CODE
