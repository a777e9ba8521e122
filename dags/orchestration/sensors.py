"""Sensors of a run: for earlier days of this DAG, and for its own day in the landing zone.

Both release their worker between two checks (mode `reschedule`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from grove.datasets import Layout
from grove.day import parse_day
from orchestration.deployment import deployment

UNFINISHED = ("queued", "running")
ENDED = ("success", "skipped")
"""States of a run's last task that mean that no task of the run is active.

A failed last task does not: a branch beside the failed one may still be training.
"""


@dataclass(frozen=True, kw_only=True)
class OtherRun:
    """Another run of the same DAG."""

    run_id: str
    day: str | None
    state: str


def earlier_unfinished(day: str, runs: Iterable[OtherRun]) -> list[OtherRun]:
    """Runs that must end before this day may begin, oldest first.

    A run whose key is no day is not among them: its own first task refuses it.

    Example:
        >>> run = OtherRun(run_id="r", day="2026-08-19", state="running")
        >>> [other.day for other in earlier_unfinished("2026-08-20", [run])]
        ['2026-08-19']
    """
    waiting = [run for run in runs if run.state in UNFINISHED and _is_before(run.day, day)]
    return sorted(waiting, key=lambda run: str(run.day))


def unfinished_runs(ti: Any, last_task: str) -> list[OtherRun]:
    """Other runs of the task's DAG that may not have ended.

    Uses Airflow's task API, which every worker reaches. A run whose last task succeeded or was
    skipped has ended; the API is asked for state and day of every other run.

    Args:
        ti: the running task instance.
        last_task: id of the task with which a run ends.

    Returns:
        The runs, with their day and state.
    """
    from airflow.sdk.execution_time.comms import GetDagRun
    from airflow.sdk.execution_time.task_runner import SUPERVISOR_COMMS

    states = ti.get_task_states(ti.dag_id, task_ids=[last_task])
    candidates = [
        run_id
        for run_id, tasks in states.items()
        if run_id != ti.run_id and tasks.get(last_task) not in ENDED
    ]
    found = [
        SUPERVISOR_COMMS.send(GetDagRun(dag_id=ti.dag_id, run_id=run_id)) for run_id in candidates
    ]
    return [
        OtherRun(run_id=run.run_id, day=run.partition_key, state=run.state.value) for run in found
    ]


class EarlierDaysSensor(BaseSensorOperator):
    """Wait while an earlier day of this DAG is queued or running."""

    template_fields: Sequence[str] = ("day",)

    def __init__(self, *, day: str, last_task: str, **task: Any) -> None:
        super().__init__(mode="reschedule", **task)
        self.day = day
        self.last_task = last_task

    def poke(self, context: Context) -> bool:
        """Check once."""
        earlier = earlier_unfinished(self.day, unfinished_runs(context["ti"], self.last_task))
        for run in earlier:
            self.log.info("waiting for %s, which is %s (%s)", run.day, run.state, run.run_id)
        return not earlier


class LandingSensor(BaseSensorOperator):
    """Wait for a day's marker in the landing zone; a timeout names what is missing."""

    template_fields: Sequence[str] = ("day",)

    def __init__(self, *, day: str, **task: Any) -> None:
        super().__init__(mode="reschedule", **task)
        self.day = day

    def poke(self, context: Context) -> bool:
        """Check once."""
        marker = Path(deployment().layout.landing_marker(parse_day(self.day)))
        self.log.info("%s %s", marker, "exists" if marker.is_file() else "does not exist yet")
        return marker.is_file()

    def execute(self, context: Context) -> Any:
        """Wait; on a timeout raise an error that names the missing feeds."""
        try:
            return super().execute(context)
        except AirflowSensorTimeout as error:
            raise AirflowFailException(
                describe_missing(
                    deployment().layout,
                    parse_day(self.day),
                    feeds=deployment().feeds,
                    hours=self.timeout / 3600,
                )
            ) from error


def describe_missing(layout: Layout, day: date, *, feeds: Sequence[str], hours: float) -> str:
    """Message that names the feeds of a day that have not landed.

    Args:
        layout: paths of the source.
        day: the day that did not land.
        feeds: feeds that the source declares.
        hours: how long the sensor waited.

    Returns:
        What is missing, where, and what to do.
    """
    missing = [feed for feed in feeds if not _has_files(Path(layout.landing_feed(feed, day)))]
    if missing:
        what = "; ".join(f"feed `{feed}` ({layout.landing_feed(feed, day)})" for feed in missing)
    else:
        what = f"only the marker, every feed has files ({layout.landing_marker(day)})"
    return (
        f"{day} has not landed within {hours:g} hours. Missing: {what}. Contact the "
        "collector of the missing feed, then clear this task."
    )


def _is_before(key: str | None, day: str) -> bool:
    try:
        return key is not None and parse_day(key) < parse_day(day)
    except ValueError:
        return False


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())
