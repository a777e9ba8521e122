"""What a finished `make run` prints: the release, its metrics, recommendations, and the UI."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from grove.catalog import METRICS, Layout, release_day
from grove.release import current_release
from grove.runtime.files import read_json
from grove.runtime.tables import read_arrow
from grove.settings import Settings
from infra.local.airflow_api import AirflowApi
from infra.local.installation import LOGIN, Installation, password
from infra.local.jobs import show_plain
from infra.local.progress import JOB_OPERATORS, stage_of

SHOWN_CUTOFF = 50
PARTS = ("start", "session", "gate", "work")
"""Parts of a stage's seconds in its report: process start, opening Spark, checks, work."""


def show_outcome(
    installation: Installation, settings: Settings, api: AirflowApi, days: Sequence[date]
) -> None:
    """Print what is being served and where to look.

    Args:
        installation: where the source lives.
        settings: its settings.
        api: Airflow, for the seconds of every task.
        days: days whose times are shown.
    """
    layout = Layout(settings.home)
    print("\nseconds per stage, mean of the days run")
    for line in time_table(layout, day_tasks(api, days)):
        print(line)
    release = current_release(layout.current_pointer())
    if release is not None:
        print(f"\nserving release {release}, judged on {release_day(release)} before it was learnt")
        columns = ["model", "metric", "cutoff", "segment", "value"]
        rows = read_arrow(
            layout, METRICS, columns=columns, day=release_day(release), stage="evaluate_models"
        )
        for line in metric_table(rows.to_pylist()):
            print(line)
        print()
        show_plain("recommend", installation.settings_file)
    print(f"\nAirflow  {installation.address}  login {LOGIN}  password {password(installation)}")


def day_tasks(api: AirflowApi, days: Sequence[date]) -> list[dict[str, Any]]:
    """Job tasks of the newest successful run of each day."""
    wanted = {str(day) for day in days}
    newest: dict[str, dict[str, Any]] = {}
    for run in api.runs():
        if run["state"] == "success" and run["partition_key"] in wanted:
            newest.setdefault(run["partition_key"], run)
    return [
        {**task, "day": day}
        for day, run in sorted(newest.items())
        for task in api.tasks(run["dag_run_id"])
        if task["operator_name"] in JOB_OPERATORS and task["state"] == "success"
    ]


def time_table(layout: Layout, tasks: Sequence[dict[str, Any]]) -> list[str]:
    """Mean seconds of each stage: in all, and split into the parts its report tells.

    Args:
        layout: where the reports are.
        tasks: job tasks with their day and duration; see `day_tasks`.

    Returns:
        Lines of a table, in the order in which the stages ran; `rest` is what Airflow adds
        to the parts.
    """
    seconds: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: task["start_date"]):
        stage = stage_of(task["task_id"])
        report = Path(layout.report(date.fromisoformat(task["day"]), stage))
        told = read_json(report)["seconds"] if report.is_file() else {}
        parts = [float(told.get(part, 0)) for part in PARTS]
        seconds[stage].append((task["duration"], *parts, task["duration"] - sum(parts)))
    lines = [f"{'stage':<28}" + "".join(f"{name:>9}" for name in ("total", *PARTS, "rest"))]
    for stage, rows in seconds.items():
        means = (sum(column) / len(rows) for column in zip(*rows, strict=True))
        lines.append(f"{stage:<28}" + "".join(f"{mean:>9.1f}" for mean in means))
    return lines


def metric_table(metrics: Sequence[dict[str, Any]]) -> list[str]:
    """HR and NDCG of every model and baseline, best first.

    Args:
        metrics: rows of the table `metrics`.

    Returns:
        Lines of a table, over all users at one cut-off.
    """
    by_model: dict[str, dict[str, float]] = defaultdict(dict)
    for row in metrics:
        if row["segment"] == "all" and row["cutoff"] == SHOWN_CUTOFF:
            by_model[row["model"]][row["metric"]] = row["value"]
    names = sorted({name for values in by_model.values() for name in values})
    if not names:
        return []
    lines = [f"{'model':<28}" + "".join(f"{f'{name}@{SHOWN_CUTOFF}':>16}" for name in names)]
    ranked = sorted(by_model.items(), key=lambda item: -item[1].get("hit_rate", 0.0))
    for model, values in ranked:
        cells = (f"{values[name]:>16.4f}" if name in values else f"{'':>16}" for name in names)
        lines.append(f"{model:<28}" + "".join(cells))
    return lines
