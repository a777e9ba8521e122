"""What a failure is: bad data, or a fault in code or cluster; and what on-call does about it.

Airflow retries every exception but `AirflowFailException`. Bad data is one, since the same
input fails again; so is a fault of ours that no retry mends, which must not be taken for
bad data.
"""

from __future__ import annotations

from collections.abc import Iterable

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSensorTimeout

from grove.errors import BUG_EXIT_CODE, DATA_EXIT_CODE

USAGE_EXIT_CODE = 2
"""A job's command line was wrong, or its file is not there: Python and argparse say so."""

NO_DAY = "the run was started without a day that is over: start one with `make trigger DAY=`"
NOT_LANDED = "a feed is missing: ask its collector, then clear the task"
FALLEN_CHECK = (
    "a red check is a data problem: read the table it logged, mend the source, clear the stage "
    "before it"
)
REFUSED_INPUT = (
    "exit code 65 is a data problem: the job refused its input and was not retried; mend the "
    "source or the settings it names, then clear it"
)
BROKEN = "a code or cluster problem: read the driver's lines in the log"
EARLIER_DAYS = "an earlier day is still queued or running: see why it does not end"


class BrokenStage(AirflowFailException):
    """A fault of ours that a retry does not mend."""


def failure_of(job: str, exit_code: int | None, last_lines: Iterable[str]) -> AirflowException:
    """The exception for a job that ended badly.

    Args:
        job: name of the job.
        exit_code: of its driver; none when it never started.
        last_lines: what the job said at the end.

    Returns:
        `AirflowFailException`, which is not retried, for a data or settings error, a wrong
        command line and a fault that the job itself knows for one; else `AirflowException`,
        which is.
    """
    said = "\n".join(["", "It said at the end:", *last_lines])
    if exit_code == DATA_EXIT_CODE:
        return AirflowFailException(
            f"{job} refused its input (exit code {exit_code}). The same input fails again, so "
            f"this task is not retried: correct the data or the settings, then clear it.{said}"
        )
    if exit_code == USAGE_EXIT_CODE:
        return BrokenStage(
            f"{job} does not know its own command line (exit code {exit_code}). It fails again "
            f"in the same way, so this task is not retried: DAG and job differ in version.{said}"
        )
    if exit_code == BUG_EXIT_CODE:
        return BrokenStage(
            f"{job} met a fault of ours (exit code {exit_code}). No retry mends it, so this task "
            f"is not retried: correct the code, then clear it.{said}"
        )
    return AirflowException(
        f"{job} failed (exit code {exit_code}): a code or cluster problem.{said}"
    )


def on_call(task_id: str, error: object) -> str:
    """What a person should do about a task that failed for good.

    Args:
        task_id: the task.
        error: what it raised.

    Returns:
        One line of the runbook. The exception decides between data and code; the task says
        which data.
    """
    task = task_id.rpartition(".")[2]
    if isinstance(error, AirflowSensorTimeout):
        return EARLIER_DAYS
    if isinstance(error, BrokenStage) or not isinstance(error, AirflowFailException):
        return BROKEN
    if task.startswith("check_"):
        return FALLEN_CHECK
    return {"require_day": NO_DAY, "wait_for_landing": NOT_LANDED}.get(task, REFUSED_INPUT)
