"""Output of a finished `make run`: release, metrics, recommendations, and the UI's address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from grove.datasets import METRICS, Layout, release_day
from grove.evaluation.comparison import COMPARATOR
from grove.plain_text import visible
from grove.release import current_release
from grove.runtime.reports import find_report
from grove.runtime.tables import read_arrow
from grove.settings import Settings
from infra.local.airflow_api import AirflowApi
from infra.local.installation import LOGIN, Installation, password
from infra.local.jobs import show_plain
from infra.local.progress import JOB_OPERATORS, stage_of

SHOWN_CUTOFFS = (10, 50)
RANKED_BY = ("hit_rate", 50)
SEGMENTS = {
    "all": "all positives of the day",
    "new_items": "only positives on items first seen on the day",
    "repurchases": "only positives on items the user had interacted with before",
}
"""Segment of a day's positives → its title; a segment without positives is not shown."""
FATES = ("landed", "accepted", "duplicates", "quarantined")
REPORT_PARTS = ("start", "session", "gate", "work")
"""Parts of a stage's seconds in its report: process start, opening Spark, checks, work."""


def show_outcome(
    installation: Installation, settings: Settings, api: AirflowApi, days: Sequence[date]
) -> None:
    """Print times, rows, metrics and recommendations of the served release, and the UI's address.

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
    print("\nrows of the days run; landed = accepted + duplicates + quarantined")
    for line in rows_table(layout, days):
        print(line)
    release = current_release(layout.current_pointer())
    if release is not None:
        day = release_day(release)
        print(f"\nserving release {release}, evaluated on {day} before training on that day")
        rows = read_arrow(layout, METRICS, day=day, stage="evaluate_models").to_pylist()
        for segment, meaning in SEGMENTS.items():
            for line in metric_table(rows, segment=segment, meaning=meaning):
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
        {**task, "day": day, "dag_run_id": run["dag_run_id"]}
        for day, run in sorted(newest.items())
        for task in api.tasks(run["dag_run_id"])
        if task["operator_name"] in JOB_OPERATORS and task["state"] == "success"
    ]


def time_table(layout: Layout, tasks: Sequence[dict[str, Any]]) -> list[str]:
    """Mean seconds of each stage: the total, and the parts in its report.

    Args:
        layout: where the reports are.
        tasks: job tasks with their day, run and duration; see `day_tasks`.

    Returns:
        Lines of a table, in the order in which the stages ran; `rest` is the time that no part
        covers. A task that a later run has repeated is left out.
    """
    seconds: dict[str, list[tuple[float, ...]]] = defaultdict(list)
    for task in sorted(tasks, key=lambda task: task["start_date"]):
        parts = seconds_by_part(layout, task)
        if parts is None:
            continue
        seconds[stage_of(task["task_id"])].append((task["duration"], *parts.values()))
    lines = [f"{'stage':<28}" + "".join(f"{name:>9}" for name in ("total", *REPORT_PARTS, "rest"))]
    for stage, rows in seconds.items():
        means = (sum(column) / len(rows) for column in zip(*rows, strict=True))
        lines.append(f"{stage:<28}" + "".join(f"{mean:>9.1f}" for mean in means))
    return lines


def seconds_by_part(layout: Layout, task: Mapping[str, Any]) -> dict[str, float] | None:
    """Seconds of a job task by the parts in its report, and `rest`, which no part covers.

    Args:
        layout: where the reports are.
        task: with its day, run and duration; see `day_tasks`.

    Returns:
        Seconds by part; none if a later run of the day has repeated the stage, so that the
        report is not of this task.
    """
    report = find_report(layout, date.fromisoformat(task["day"]), stage_of(task["task_id"]))
    if report is not None and report.run_id != task["dag_run_id"]:
        return None
    seconds = report.seconds if report else {}
    parts = {part: float(seconds.get(part, 0)) for part in REPORT_PARTS}
    return parts | {"rest": task["duration"] - sum(parts.values())}


def rows_table(layout: Layout, days: Sequence[date]) -> list[str]:
    """Landed, accepted, duplicate and quarantined rows of every feed and day.

    Args:
        layout: where the reports are.
        days: landing days; days without a report are left out.

    Returns:
        Lines of a table, one per day and feed.
    """
    lines = [f"{'day':<12}{'feed':<12}" + "".join(f"{fate:>13}" for fate in FATES)]
    for day in days:
        report = find_report(layout, day, "ingest_landing")
        if report and report.closed_because:
            lines.append(f"{day!s:<12}closed: {visible(report.closed_because)}")
        for feed, rows in report.landed_feeds.items() if report else ():
            cells = "".join(f"{rows[fate]:>13,}" for fate in FATES)
            lines.append(f"{day!s:<12}{visible(feed):<12}{cells}")
    return lines


def metric_table(
    metrics: Sequence[Mapping[str, Any]], *, segment: str = "all", meaning: str = SEGMENTS["all"]
) -> list[str]:
    """HR@K and NDCG@K of every model and baseline, best first.

    Args:
        metrics: rows of the table `metrics`.
        segment: segment of the positives.
        meaning: title of the segment.

    Returns:
        Lines of a table; empty if no user has such a positive.
    """
    by_model: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    shown = [row for row in metrics if row["segment"] == segment and row["support"]]
    shown = [row for row in shown if row["cutoff"] in SHOWN_CUTOFFS]
    shown = [row for row in shown if not row["model"].startswith(COMPARATOR)]
    for row in shown:
        by_model[row["model"]][row["metric"], row["cutoff"]] = row["value"]
    if not by_model:
        return []
    users = max(row["support"] for row in shown if row["metric"] != "coverage")
    columns = sorted({column for values in by_model.values() for column in values})
    heads = "".join(f"{f'{name}@{cutoff}':>14}" for name, cutoff in columns)
    lines = [f"{meaning}, {users:,} users", f"{'model':<28}{heads}"]
    for model, values in sorted(by_model.items(), key=lambda one: -one[1].get(RANKED_BY, 0.0)):
        cells = (f"{values[one]:>14.4f}" if one in values else f"{'':>14}" for one in columns)
        lines.append(f"{model:<28}" + "".join(cells))
    return [*lines, ""]
