"""The outcome of a job as an exit code and as a log entry."""

from __future__ import annotations

import re
from argparse import Namespace
from datetime import date, timedelta

import pytest
from deltalake.exceptions import CommitFailedError
from py4j.protocol import Py4JNetworkError
from pyspark.errors import AnalysisException, PythonException

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
    return kind("it broke", where="here", expected="whole", found="pieces", next_step="fix it")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (grove_error(DataError), DATA_EXIT_CODE),
        (grove_error(SettingsError), DATA_EXIT_CODE),
        (grove_error(BugError), BUG_EXIT_CODE),
        (grove_error(InfrastructureError), INFRASTRUCTURE_EXIT_CODE),
        (ConnectionError("reset by peer"), INFRASTRUCTURE_EXIT_CODE),
        (MemoryError(), INFRASTRUCTURE_EXIT_CODE),
        (RuntimeError("out of memory"), INFRASTRUCTURE_EXIT_CODE),
        (Py4JNetworkError("no answer from Java"), INFRASTRUCTURE_EXIT_CODE),
        (PythonException("a worker died"), INFRASTRUCTURE_EXIT_CODE),
        (CommitFailedError("version 3 exists"), INFRASTRUCTURE_EXIT_CODE),
        (TypeError("'NoneType' object is not callable"), BUG_EXIT_CODE),
        (AttributeError("no attribute 'day'"), BUG_EXIT_CODE),
        (KeyError("day"), BUG_EXIT_CODE),
        (ValueError("got (3,), (2,)"), BUG_EXIT_CODE),
        (NotImplementedError(), BUG_EXIT_CODE),
        (RecursionError(), BUG_EXIT_CODE),
        (AnalysisException("no column day"), BUG_EXIT_CODE),
    ],
)
def test_every_outcome_has_its_exit_code(error, code):
    assert ended(error) == code


def test_only_errors_that_a_retry_may_fix_share_the_retried_code():
    assert len({DATA_EXIT_CODE, BUG_EXIT_CODE, INFRASTRUCTURE_EXIT_CODE}) == 3
    assert BUG_EXIT_CODE == 70  # EX_SOFTWARE; the operators of the DAGs know it by this number


def test_a_grove_error_is_logged_without_a_traceback(capsys):
    ended(grove_error(DataError))
    log = capsys.readouterr().err
    assert "DataError: it broke" in log
    assert "next:     fix it" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("error", "outlook"),
    [(OSError("full"), "a retry may succeed"), (TypeError("x"), "not retried")],
)
def test_an_unexpected_error_keeps_its_traceback_and_states_whether_it_is_retried(
    capsys, error, outlook
):
    ended(error)
    log = capsys.readouterr().err
    assert f"unexpected {type(error).__name__}; {outlook}" in log
    assert "Traceback" in log
    assert f"{type(error).__name__}: {error}" in log


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
