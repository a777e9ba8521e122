"""Progress of running days on the terminal: a line per finished stage, and the running tasks."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from grove.datasets import Layout, stage_name
from grove.errors import DataError, InfrastructureError
from grove.plain_text import visible
from grove.runtime.clock import Stopwatch
from grove.runtime.files import read_json
from infra.local.airflow_api import AirflowApi

LINE_BREAK = "\n"
POLL_SECONDS = 2.0
ABSENT_SECONDS = 60.0
"""A day without a run after so many seconds does not get one from the scheduler."""
WAITING_SECONDS = 30.0
"""After so many seconds without a running task, the cause of the wait is printed."""
WAITS = {
    "wait_for_landing": "its logs, which have not landed, for `source.landing_wait_hours` at most;"
    " to give up, mark its run as failed in the UI",
    "wait_for_earlier_days": "the run of an earlier day, which has not ended; to give up, mark"
    " the earlier run as failed in the UI",
}
"""Sensors → what they wait for."""
WAITING = ("running", "up_for_reschedule")
"""States of a waiting sensor; in a run that was given up it is skipped."""
FINISHED = ("success", "failed")
JOB_OPERATORS = ("SparkJobOperator", "PlainJobOperator")


TaskOfRun = tuple[str, str]
"""Ids of a run and of one of its tasks."""


def ended_runs(api: AirflowApi) -> frozenset[str]:
    """Ids of the runs that have ended."""
    return frozenset(run["dag_run_id"] for run in api.runs() if run["state"] in FINISHED)


def watch_days(
    api: AirflowApi, layout: Layout, days: Sequence[date], *, ignored: frozenset[str]
) -> None:
    """Wait until every day has a finished run, and print its stages as they end.

    Args:
        api: Airflow.
        layout: where reports and notices are.
        days: days to wait for.
        ignored: runs that had ended before the days were started.

    Raises:
        DataError: a day failed; its reason is in the message.
        InfrastructureError: a day has no run, so that waiting would never end.
    """
    shown: frozenset[TaskOfRun] = frozenset()
    since, quiet = Stopwatch(), Stopwatch()
    waiting = {str(day) for day in days}
    while waiting:
        running = ""
        runs = newest_runs(api.runs(), waiting, ignored)
        if since.seconds() > ABSENT_SECONDS:
            require_runs(waiting, runs)
        for run in runs:
            tasks = api.tasks(run["dag_run_id"])
            shown |= show_finished(layout, run, tasks, shown)
            running = running or running_line(run, tasks)
            quiet = Stopwatch() if is_working(tasks) else quiet
            if quiet.seconds() >= WAITING_SECONDS:
                shown |= show_waiting(run, tasks, shown)
            if run["state"] == "failed":
                raise failed_day(layout, run, tasks)
            if run["state"] == "success":
                waiting.discard(run["partition_key"])
                show_end(run, tasks)
        show_running(running)
        if waiting:
            time.sleep(POLL_SECONDS)
    show_running("")


def newest_runs(
    runs: Sequence[dict[str, Any]], days: set[str], ignored: frozenset[str]
) -> list[dict[str, Any]]:
    """The newest run of each day that is not ignored, oldest day first."""
    newest: dict[str, dict[str, Any]] = {}
    for run in sorted(runs, key=lambda run: run["queued_at"] or ""):
        if run["partition_key"] in days and run["dag_run_id"] not in ignored:
            newest[run["partition_key"]] = run
    return [newest[day] for day in sorted(newest)]


def require_runs(days: Collection[str], runs: Sequence[dict[str, Any]]) -> None:
    """Require that every day has a run.

    Raises:
        InfrastructureError: some days have no run; the message names them.
    """
    absent = sorted(set(days) - {run["partition_key"] for run in runs})
    if absent:
        raise InfrastructureError(
            f"no run exists for {', '.join(absent)}",
            where="runs of daily_refresh",
            expected="a run that is queued, running or has just ended",
            found="none: it was not created, or it was deleted",
            next_step="`make run` creates every missing run",
        )


def stage_of(task_id: str) -> str:
    """Stage that a task runs.

    Example:
        >>> stage_of("update.stars.train_stars"), stage_of("ingest_landing")
        ('train_stars.update', 'ingest_landing')
    """
    job = task_id.rpartition(".")[2]
    return stage_name(job, "update" if task_id.startswith("update.") else "candidate")


def show_finished(
    layout: Layout,
    run: dict[str, Any],
    tasks: Sequence[dict[str, Any]],
    shown: frozenset[TaskOfRun],
) -> frozenset[TaskOfRun]:
    """Print a line for every job that has ended since the last poll.

    Args:
        layout: paths of the reports.
        run: a run of the daily refresh.
        tasks: its tasks.
        shown: tasks that have been printed.

    Returns:
        The tasks printed now.
    """
    jobs = [task for task in tasks if task["operator_name"] in JOB_OPERATORS]
    ended = {
        (str(run["dag_run_id"]), str(task["task_id"])): task
        for task in sorted(jobs, key=lambda task: task["end_date"] or "")
        if task["state"] in FINISHED and (run["dag_run_id"], task["task_id"]) not in shown
    }
    for task in ended.values():
        show_running("")
        print(visible(stage_line(layout, run["partition_key"], task)), flush=True)
    return frozenset(ended)


def stage_line(layout: Layout, day: str, task: dict[str, Any]) -> str:
    """Line of a finished stage: day, stage, outcome, rows written, seconds."""
    stage = stage_of(task["task_id"])
    report = Path(layout.report(date.fromisoformat(day), stage))
    rows = read_json(report)["rows"]["out"] if report.is_file() else None
    outcome = "done" if task["state"] == "success" else "FAILED"
    amount = f"{rows:>11,} rows" if rows is not None else " " * 16
    return f"{day}  {stage:<26}{outcome:<7}{amount}{task['duration'] or 0:>9.1f} s"


def show_end(run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> None:
    """Print the last line of a day."""
    closed = any(task["state"] == "skipped" for task in tasks)
    show_running("")
    print(
        f"{run['partition_key']}  {'closed, nothing to do' if closed else 'published'}", flush=True
    )


def running_line(run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> str:
    """Line of the running tasks; empty if none runs."""
    active = [task["task_id"] for task in tasks if task["state"] == "running"]
    return f"{run['partition_key']}  {', '.join(active)} ..." if active else ""


def is_working(tasks: Sequence[dict[str, Any]]) -> bool:
    """Whether a task other than a sensor is running."""
    return any(task["state"] == "running" and task["task_id"] not in WAITS for task in tasks)


def show_waiting(
    run: dict[str, Any], tasks: Sequence[dict[str, Any]], shown: frozenset[TaskOfRun]
) -> frozenset[TaskOfRun]:
    """Print once why a day waits; see `show_finished`."""
    sensors = [
        str(task["task_id"])
        for task in tasks
        if task["task_id"] in WAITS and task["state"] in WAITING
    ]
    new = [sensor for sensor in sensors if (run["dag_run_id"], sensor) not in shown]
    for sensor in new:
        show_running("")
        say(f"{run['partition_key']} waits for {WAITS[sensor]}")
    return frozenset((str(run["dag_run_id"]), sensor) for sensor in new)


def show_running(line: str) -> None:
    """Redraw the last line of a terminal; without effect if output goes to a file.

    The line is cut to the terminal's width: a wrapped line would not be erased as a whole.
    """
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{visible(line)[:width]}", end="", flush=True)


def failed_day(layout: Layout, run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> DataError:
    """The error for a day that failed, with the reason in its notice."""
    failed = [task["task_id"] for task in tasks if task["state"] == "failed"]
    reasons = [
        str(notice["reason"])
        for notice in map(read_json, sorted(Path(layout.notices()).glob("*.json")))
        if notice["run_id"] == run["dag_run_id"]
    ]
    return DataError(
        f"{run['partition_key']} failed",
        where=", ".join(failed) or run["dag_run_id"],
        expected="every task green",
        found="; ".join(reasons) or "no notice: see the task's log in the UI",
        next_step="fix the cause, then `make run` again: it runs only the missing days",
    )


def say(line: str) -> None:
    """Print the next step."""
    print(f"grove: {visible(line, keep=LINE_BREAK)}", flush=True)
