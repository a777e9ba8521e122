"""P1 and P8: cost of ingest over a bare write, and time of a day by stage.

P8 measures the built-in marketplace as `make run` leaves it, and runs the days that are missing:
the first day (everything is trained) and the newest one (an ordinary day).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from tests.benchmarks.ingest import measure_ingest
from tests.benchmarks.rows import Row

from grove.datasets import Layout
from infra.local.__main__ import HOMES
from infra.local.airflow_api import AirflowApi, open_api
from infra.local.components import stop_airflow
from infra.local.installation import Installation, remembered_port
from infra.local.outcome import day_tasks, seconds_by_part
from infra.local.progress import FINISHED, stage_of
from infra.local.refresh import RunRequest, run_days

INGESTED_ROWS = (100_000, 1_000_000)
MOST_OVER_BARE = 2.0


def measure_marketplace(_data: Path | None) -> Iterator[Row]:
    """Yield P8."""
    home = HOMES / "marketplace"
    installation = Installation(home=home, port=int(remembered_port(home)))
    request = RunRequest(source="marketplace", data=None, days=None, size=None)
    run_days(installation, request)
    yield from measure_days(open_api(installation), Layout(str(installation.home)))
    # What comes next keeps both cores busy, and Airflow would disturb it.
    stop_airflow(installation)


def _ingest_rows(rows: int, _data: Path | None) -> Iterator[Row]:
    found = measure_ingest(rows)
    yield Row(f"P1 bare write, {rows:,} rows", found["bare_seconds"], "s")
    yield Row(f"P1 ingest job with gates, {rows:,} rows", found["job_seconds"], "s")
    yield Row(f"P1 ingest job, {rows:,} rows", found["job_rows_per_second"], "rows/s")
    has_goal = rows == INGESTED_ROWS[-1]
    yield Row(
        f"P1 job over bare write, {rows:,} rows",
        found["ratio"],
        "ratio",
        reference="bare Spark read → Delta write",
        goal=f"≤ {MOST_OVER_BARE:g}" if has_goal else "",
        met=found["ratio"] <= MOST_OVER_BARE if has_goal else None,
    )


def measure_days(api: AirflowApi, layout: Layout) -> Iterator[Row]:
    """Split the seconds of the first and the newest successful day by stage and part.

    Args:
        api: Airflow, which knows how long each task took.
        layout: where the reports are.
    """
    done = sorted({run["partition_key"] for run in api.runs() if run["state"] == "success"})
    for kind, day in {"fresh": done[0], "incremental": done[-1]}.items():
        tasks = day_tasks(api, [date.fromisoformat(day)])
        yield Row(f"P8 {kind} day, wall", _wall_seconds(api, day, tasks), "s")
        yield from _split_rows(f"P8 {kind} day", _seconds_per_stage(layout, tasks))


def _wall_seconds(api: AirflowApi, day: str, tasks: Sequence[Mapping[str, Any]]) -> float:
    """From the start of the first job: before it, a run waits for the days before its own."""
    run = next(
        run for run in api.runs() if run["partition_key"] == day and run["state"] in FINISHED
    )
    begin = min(datetime.fromisoformat(task["start_date"]) for task in tasks)
    return (datetime.fromisoformat(run["end_date"]) - begin).total_seconds()


def _seconds_per_stage(
    layout: Layout, tasks: Sequence[Mapping[str, Any]]
) -> dict[str, dict[str, float]]:
    """Stage → part → seconds; the rest is orchestration."""
    split = {}
    for task in sorted(tasks, key=lambda task: str(task["start_date"])):
        parts = seconds_by_part(layout, task)
        if parts is None:
            continue  # measured again by a run that has not ended
        orchestration = parts.pop("rest")
        split[stage_of(task["task_id"])] = parts | {"orchestration": orchestration}
    return split


def _split_rows(name: str, split: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    total: dict[str, float] = defaultdict(float)
    for stage, parts in split.items():
        for part, seconds in parts.items():
            total[part] += seconds
            yield Row(f"{name}, {stage}, {part}", seconds, "s")
    for part, seconds in total.items():
        yield Row(f"{name}, all stages, {part}", seconds, "s")


PARTS = {"day": measure_marketplace} | {
    f"ingest-{rows}": partial(_ingest_rows, rows) for rows in INGESTED_ROWS
}
