"""Show on the terminal what the running days do: a line per finished stage, and what runs now."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from grove.datasets import Layout, stage_name
from grove.errors import DataError, InfrastructureError
from grove.runtime.clock import Stopwatch
from grove.runtime.files import read_json
from infra.local.airflow_api import AirflowApi

POLL_SECONDS = 2.0
ABSENT_SECONDS = 60.0
"""A day without a run after so long gets none by itself."""
WAITING_SECONDS = 30.0
"""After so long without a running task it is said what a day waits for."""
WAITS = {
    "wait_for_landing": "its logs, which have not landed, for `source.landing_wait_hours` at most;"
    " to give it up, mark its run as failed in the UI",
    "wait_for_earlier_days": "the run of an earlier day, which has not ended; to give that up, mark"
    " the earlier run as failed in the UI",
}
"""Tasks that look again and again → what they look for."""
LOOKING = ("running", "up_for_reschedule")
"""States of such a task; one whose run was given up is skipped."""
FINISHED = ("success", "failed")
JOB_OPERATORS = ("SparkJobOperator", "PlainJobOperator")


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What has been shown so far."""

    layout: Layout
    ignored: frozenset[str] = frozenset()
    """Runs that had ended before."""
    shown: set[tuple[str, str]] = field(default_factory=set)


def ended_runs(api: AirflowApi) -> frozenset[str]:
    """Runs that need no watching any more."""
    return frozenset(run["dag_run_id"] for run in api.runs() if run["state"] in FINISHED)


def watch_days(
    api: AirflowApi, layout: Layout, days: Sequence[date], *, ignored: frozenset[str]
) -> None:
    """Wait until every day has a finished run, and show its stages as they end.

    Args:
        api: Airflow.
        layout: where reports and notices are.
        days: days to wait for.
        ignored: runs that had ended before the days were started.

    Raises:
        DataError: a day failed; its reason is in the message.
        InfrastructureError: a day has no run, so that waiting for it would never end.
    """
    watch = Watch(layout=layout, ignored=ignored)
    since, quiet = Stopwatch(), Stopwatch()
    waiting = {str(day) for day in days}
    while waiting:
        running = ""
        runs = newest_runs(api.runs(), waiting, watch.ignored)
        if since.seconds() > ABSENT_SECONDS:
            require_runs(waiting, runs)
        for run in runs:
            tasks = api.tasks(run["dag_run_id"])
            show_finished(watch, run, tasks)
            running = running or running_line(run, tasks)
            quiet = Stopwatch() if is_working(tasks) else quiet
            if quiet.seconds() >= WAITING_SECONDS:
                show_waiting(watch, run, tasks)
            if run["state"] == "failed":
                raise failed_day(watch, run, tasks)
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
    """Refuse to wait for a day for which there is nothing to wait.

    Raises:
        InfrastructureError: some days have no run; they are named.
    """
    absent = sorted(set(days) - {run["partition_key"] for run in runs})
    if absent:
        raise InfrastructureError(
            f"no run exists for {', '.join(absent)}",
            where="runs of daily_refresh",
            expected="one that is queued, running or has just ended",
            found="none: it was not made, or somebody deleted it",
            next_step="`make run` makes every run that is missing",
        )


def stage_of(task_id: str) -> str:
    """Stage behind a task.

    Example:
        >>> stage_of("update.stars.train_stars"), stage_of("ingest_landing")
        ('train_stars.update', 'ingest_landing')
    """
    job = task_id.rpartition(".")[2]
    return stage_name(job, "update" if task_id.startswith("update.") else "candidate")


def show_finished(watch: Watch, run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> None:
    """Print a line for every job that ended since the last look."""
    jobs = [task for task in tasks if task["operator_name"] in JOB_OPERATORS]
    for task in sorted(jobs, key=lambda task: task["end_date"] or ""):
        key = (run["dag_run_id"], task["task_id"])
        if task["state"] in FINISHED and key not in watch.shown:
            watch.shown.add(key)
            show_running("")
            print(stage_line(watch.layout, run["partition_key"], task), flush=True)


def stage_line(layout: Layout, day: str, task: dict[str, Any]) -> str:
    """One finished stage: day, stage, outcome, rows written, seconds."""
    stage = stage_of(task["task_id"])
    report = Path(layout.report(date.fromisoformat(day), stage))
    rows = read_json(report)["rows"]["out"] if report.is_file() else None
    outcome = "done" if task["state"] == "success" else "FAILED"
    amount = f"{rows:>11,} rows" if rows is not None else " " * 16
    return f"{day}  {stage:<26}{outcome:<7}{amount}{task['duration'] or 0:>9.1f} s"


def show_end(run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> None:
    """Print the line with which a day ends."""
    closed = any(task["state"] == "skipped" for task in tasks)
    show_running("")
    print(
        f"{run['partition_key']}  {'closed, nothing to do' if closed else 'published'}", flush=True
    )


def running_line(run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> str:
    """What a run does now; empty when nothing runs."""
    active = [task["task_id"] for task in tasks if task["state"] == "running"]
    return f"{run['partition_key']}  {', '.join(active)} ..." if active else ""


def is_working(tasks: Sequence[dict[str, Any]]) -> bool:
    """Whether a task runs that does not only look whether it may go on."""
    return any(task["state"] == "running" and task["task_id"] not in WAITS for task in tasks)


def show_waiting(watch: Watch, run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> None:
    """Say once what a day waits for."""
    for task in tasks:
        key = (run["dag_run_id"], task["task_id"])
        waits = task["task_id"] in WAITS and task["state"] in LOOKING
        if waits and key not in watch.shown:
            watch.shown.add(key)
            show_running("")
            say(f"{run['partition_key']} waits for {WAITS[task['task_id']]}")


def show_running(line: str) -> None:
    """Redraw the last line of a terminal; does nothing where output goes to a file.

    A line that is wider than the terminal would leave a row behind each time.
    """
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{line[:width]}", end="", flush=True)


def failed_day(watch: Watch, run: dict[str, Any], tasks: Sequence[dict[str, Any]]) -> DataError:
    """The error for a day that failed, with the reason its notice gives."""
    failed = [task["task_id"] for task in tasks if task["state"] == "failed"]
    reasons = [
        str(notice["reason"])
        for notice in map(read_json, sorted(Path(watch.layout.notices()).glob("*.json")))
        if notice["run_id"] == run["dag_run_id"]
    ]
    return DataError(
        f"{run['partition_key']} failed",
        where=", ".join(failed) or run["dag_run_id"],
        expected="every task green",
        found="; ".join(reasons) or "no notice was left: see the task's log in the UI",
        next_step="mend it, then `make run` again: it runs only what is missing",
    )


def say(line: str) -> None:
    """Tell the person at the terminal what happens next."""
    print(f"grove: {line}", flush=True)
