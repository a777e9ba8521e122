"""Bad data is not retried, everything else is; and a plain job's lines reach the log."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.providers.apache.spark.hooks.spark_submit import SparkSubmitHook
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from grove.errors import DATA_EXIT_CODE, INFRASTRUCTURE_EXIT_CODE
from orchestration import job_operators
from orchestration.failures import USAGE_EXIT_CODE, BrokenStage
from orchestration.job_operators import PlainJobOperator, SparkJobOperator

PLACE = {"day": "2026-08-20", "stage": "plan_day"}


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [
        (DATA_EXIT_CODE, AirflowFailException),
        (USAGE_EXIT_CODE, BrokenStage),
        (INFRASTRUCTURE_EXIT_CODE, AirflowException),
    ],
)
def test_exit_code_of_a_driver_is_read_from_the_hook(
    tmp_path: Path, exit_code: int, expected: type[Exception]
) -> None:
    submit = tmp_path / "spark-submit"
    submit.write_text(f"#!/bin/sh\necho the driver says no\nexit {exit_code}\n", encoding="utf-8")
    submit.chmod(0o755)
    task = SparkJobOperator(
        task_id="job", **PLACE, name="grove.job", application="job.py", spark_binary=str(submit)
    )
    with pytest.raises(expected, match="the driver says no") as caught:
        task.execute({})
    assert type(caught.value) is expected


def test_a_driver_that_succeeds_raises_nothing(tmp_path: Path) -> None:
    task = SparkJobOperator(
        task_id="job", **PLACE, name="grove.job", application="job.py", spark_binary="/bin/true"
    )
    task.execute({})


def test_arguments_rendered_as_empty_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(
        SparkSubmitHook, "submit", lambda hook, _: seen.append(hook._application_args)
    )
    task = SparkJobOperator(
        task_id="job",
        **PLACE,
        name="grove.job",
        application="job.py",
        application_args=["--day", "", "x"],
    )
    task.execute({})
    assert seen == [["--day", "x"]]


@pytest.mark.parametrize(("exit_code", "fails"), [(0, False), (DATA_EXIT_CODE, True)])
def test_a_plain_job_runs_with_the_jobs_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int, fails: bool
) -> None:
    here = SimpleNamespace(jobs_python=sys.executable)
    monkeypatch.setattr(job_operators, "deployment", lambda: here)
    job = tmp_path / "job.py"
    job.write_text(
        f"import os, sys\nprint('day', sys.argv[2], os.environ['HOUSE'])\nsys.exit({exit_code})\n",
        encoding="utf-8",
    )
    task = PlainJobOperator(
        task_id="plan_day",
        **PLACE,
        application=str(job),
        application_args=["--day", "2026-08-20", ""],
        env_vars={"HOUSE": "grove"},
    )
    if not fails:
        task.execute({})
        return
    with pytest.raises(AirflowFailException, match="day 2026-08-20 grove"):
        task.execute({})
