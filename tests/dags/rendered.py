"""Every task of every DAG, rendered for a fixed day. The only place that touches private names."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG

from orchestration.job_operators import PlainJobOperator, SparkJobOperator, without_empty

DAG_IDS = ("daily_refresh", "demo_collector", "retention")
"""Listed by hand: a DAG that cannot be imported would otherwise go unnoticed."""
DAY = "2026-08-20"
JOB_OPERATORS = (SparkJobOperator, PlainJobOperator)


@cache
def dag_bag() -> DagBag:
    return DagBag(Path(__file__).resolve().parents[2] / "dags", bundle_name="tests")


def dag_of(dag_id: str) -> DAG:
    return dag_bag().dags[dag_id]


def context(**params: Any) -> dict[str, Any]:
    defaults = {"retrain": False, "make_current": False}
    return {"partition_key": DAY, "run_id": "golden", "params": {**defaults, **params}}


def command(task: Any, **params: Any) -> list[str]:
    """The command line of a job's task."""
    rendered = task.prepare_for_execution()
    rendered.render_template_fields(context(**params))
    if isinstance(rendered, PlainJobOperator):
        return rendered.command()
    rendered.application_args = without_empty(rendered.application_args)
    return rendered._get_hook()._build_spark_submit_command(rendered.application)


def job_tasks() -> dict[str, Any]:
    """Tasks that launch a job, by `<dag>.<task>`."""
    return {
        f"{dag_id}.{task.task_id}": task
        for dag_id in DAG_IDS
        for task in dag_of(dag_id).tasks
        if isinstance(task, JOB_OPERATORS)
    }
