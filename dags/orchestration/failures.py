"""Classes of failure, bad data or a problem of code or cluster, and the runbook line of each.

Airflow retries every exception except `AirflowFailException`. Bad data raises that one, since
the same input fails again. `BrokenStage` refines it for a bug, which is not retried either but
must not be reported as bad data.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSensorTimeout

from grove.errors import BUG_EXIT_CODE, DATA_EXIT_CODE

USAGE_EXIT_CODE = 2
"""Exit code of Python and argparse: a wrong command line, or a missing file."""

NO_DAY = "the run has no day, or one that is not over: start a run with `make trigger DAY=`"
NOT_LANDED = "a feed is missing: contact its collector, then clear the task"
FAILED_CHECK = (
    "a failed check is a data problem: read the table it logged, fix the source, then clear the "
    "stage before it"
)
REJECTED_INPUT = (
    "exit code 65 is a data problem: the job rejected its input and was not retried; fix the "
    "source or the settings that it names, then clear the task"
)
BROKEN = "a code or cluster problem: read the driver's lines in the log"
EARLIER_DAYS = "an earlier day is still queued or running: find out why it does not end"


class BrokenStage(AirflowFailException):
    """A bug, which a retry does not fix."""


def failure_of(job: str, exit_code: int | None, last_lines: Iterable[str]) -> AirflowException:
    """The exception for a job that failed.

    Args:
        job: name of the job.
        exit_code: exit code of its driver; none if it never started.
        last_lines: last lines of its output.

    Returns:
        `AirflowFailException`, which is not retried, for a data or settings error, a wrong
        command line, and a bug that the job itself reports; otherwise `AirflowException`,
        which is retried.
    """
    output = "\n".join(["", "Last lines of its output:", *last_lines])
    if exit_code == DATA_EXIT_CODE:
        return AirflowFailException(
            f"{job} rejected its input (exit code {exit_code}). The same input fails again, so "
            f"this task is not retried: fix the data or the settings, then clear the task.{output}"
        )
    if exit_code == USAGE_EXIT_CODE:
        return BrokenStage(
            f"{job} rejected its command line (exit code {exit_code}). A retry fails in the same "
            f"way, so this task is not retried: DAG and job differ in version.{output}"
        )
    if exit_code == BUG_EXIT_CODE:
        return BrokenStage(
            f"{job} hit an internal error (exit code {exit_code}). Retrying will not help, so this "
            f"task is not retried: fix the code, then clear the task.{output}"
        )
    return AirflowException(
        f"{job} failed (exit code {exit_code}): a code or cluster problem.{output}"
    )


def on_call(task_id: str, error: object) -> str:
    """The runbook line for a task that failed and is not retried any more.

    Args:
        task_id: the task.
        error: what it raised.

    Returns:
        One line of the runbook. The exception decides between data and code; the task
        decides which data.
    """
    task = task_id.rpartition(".")[2]
    if isinstance(error, AirflowSensorTimeout):
        return EARLIER_DAYS
    if isinstance(error, BrokenStage) or not isinstance(error, AirflowFailException):
        return BROKEN
    if task.startswith("check_"):
        return FAILED_CHECK
    return {"require_day": NO_DAY, "wait_for_landing": NOT_LANDED}.get(task, REJECTED_INPUT)
