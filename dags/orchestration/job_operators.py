"""Operators that run a job and distinguish bad data from broken infrastructure by exit code.

Spark's own hook raises the same exception for every exit code, so a day with bad data would
be retried. Here the exit codes 65, 2 and 70 fail the task without a retry; Airflow retries any
other failure.
"""

from __future__ import annotations

import os
import subprocess
from collections import deque
from collections.abc import Sequence
from typing import Any

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException

from grove.datasets import LAUNCHER_VARIABLE
from orchestration.deployment import deployment
from orchestration.failures import failure_of
from orchestration.links import DayLink, ReportLink

SHOWN_LINES = 20
"""Number of last output lines of a failed job that its exception and its notice repeat."""


def without_empty(arguments: Sequence[str]) -> list[str]:
    """Drop arguments that a template rendered as empty, such as a flag that is not set."""
    return [argument for argument in arguments if argument]


class SparkJobOperator(SparkSubmitOperator):
    """Submit a job to Spark; see the module for its exit codes.

    Args:
        day: the run's day.
        stage: name under which the job reports.
        **task: arguments of `SparkSubmitOperator`.
    """

    template_fields: Sequence[str] = (*SparkSubmitOperator.template_fields, "day")
    operator_extra_links = (ReportLink(), DayLink())

    def __init__(self, *, day: str, stage: str, **task: Any) -> None:
        super().__init__(**task)
        self.day = day
        self.stage = stage

    def execute(self, context: Context) -> None:
        """Submit the job and wait for it."""
        # Not among `env_vars`: those follow a driver to a cluster, which lacks this process.
        os.environ[LAUNCHER_VARIABLE] = str(os.getpid())
        self.application_args: list[str] = without_empty(self.application_args or [])
        try:
            super().execute(context)
        except AirflowException as error:
            raise failure_of(self.name, *self._end_of_driver()) from error

    def _end_of_driver(self) -> tuple[int | None, list[str]]:
        # The hook stores both, but only logs them.
        if self._hook is None or self._hook._submit_sp is None:
            return None, []
        return self._hook._submit_sp.returncode, list(self._hook._last_submit_log_lines)


class PlainJobOperator(BaseOperator):
    """Run a job that needs no Spark with the jobs environment's Python.

    Args:
        day: the run's day.
        stage: name under which the job reports.
        application: file of the job.
        application_args: its arguments.
        env_vars: variables added to the worker's own environment.
    """

    template_fields: Sequence[str] = ("application", "application_args", "env_vars", "day")
    operator_extra_links = (ReportLink(), DayLink())

    def __init__(
        self,
        *,
        day: str,
        stage: str,
        application: str,
        application_args: list[str],
        env_vars: dict[str, str],
        **task: Any,
    ) -> None:
        super().__init__(**task)
        self.day = day
        self.stage = stage
        self.application = application
        self.application_args = application_args
        self.env_vars = env_vars
        self._process: subprocess.Popen[str] | None = None

    def command(self) -> list[str]:
        """The command line, once templates are rendered."""
        return [
            deployment().jobs_python,
            self.application,
            *without_empty(self.application_args),
        ]

    def execute(self, context: Context) -> None:
        """Run the job, line by line into the task's log."""
        self._process = subprocess.Popen(
            self.command(),
            env={**os.environ, **self.env_vars, LAUNCHER_VARIABLE: str(os.getpid())},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        last_lines: deque[str] = deque(maxlen=SHOWN_LINES)
        for line in self._process.stdout or ():
            self.log.info("%s", line.rstrip())
            last_lines.append(line.rstrip())
        exit_code = self._process.wait()
        if exit_code:
            raise failure_of(self.task_id, exit_code, last_lines)

    def on_kill(self) -> None:
        """End the job with the task."""
        if self._process:
            self._process.terminate()
