"""Classes of failure: bad data is not retried; a wrong command line is not bad data."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSensorTimeout

from grove.errors import DATA_EXIT_CODE, INFRASTRUCTURE_EXIT_CODE
from orchestration.failures import (
    BROKEN,
    EARLIER_DAYS,
    FAILED_CHECK,
    NO_DAY,
    NOT_LANDED,
    REJECTED_INPUT,
    BrokenStage,
    failure_of,
    on_call,
)


def test_a_data_error_is_not_retried() -> None:
    error = failure_of("train_dssm", DATA_EXIT_CODE, ["no rows"])
    assert type(error) is AirflowFailException
    assert "not retried" in str(error)
    assert "no rows" in str(error)


def test_a_wrong_command_line_is_not_retried_and_no_data_problem() -> None:
    error = failure_of("train_dssm", 2, ["unrecognized arguments: --pass"])
    assert isinstance(error, AirflowFailException)
    assert "unrecognized arguments" in str(error)
    assert on_call("dssm.train_dssm", error) == BROKEN


@pytest.mark.parametrize("exit_code", [INFRASTRUCTURE_EXIT_CODE, 1, 137, None])
def test_anything_else_is_retried(exit_code: int | None) -> None:
    error = failure_of("train_dssm", exit_code, [])
    assert isinstance(error, AirflowException)
    assert not isinstance(error, AirflowFailException)


@pytest.mark.parametrize(
    ("task", "error", "advice"),
    [
        ("require_day", AirflowFailException(), NO_DAY),
        ("wait_for_landing", AirflowFailException(), NOT_LANDED),
        ("wait_for_earlier_days", AirflowSensorTimeout(), EARLIER_DAYS),
        ("ingested.check_items", AirflowFailException(), FAILED_CHECK),
        ("ingested.check_items", BrokenStage(), BROKEN),
        ("ingested.check_items", OSError(), BROKEN),
        ("ingest_landing", AirflowFailException(), REJECTED_INPUT),
        ("ingest_landing", AirflowException(), BROKEN),
        ("wait_for_landing", OSError(), BROKEN),
        ("ingest_landing", "killed from outside", BROKEN),
        ("ingest_landing", None, BROKEN),
    ],
)
def test_the_exception_decides_between_data_and_code(task: str, error: object, advice: str) -> None:
    assert on_call(task, error) == advice
