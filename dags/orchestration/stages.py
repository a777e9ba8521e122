"""The two kinds of task in this project: a stage runs a job, a gate reads its verdict.

Imported while Airflow parses DAGs, so it must stay cheap. `import pyspark` would not fail
here (the Spark provider installs a client of that name); a lint rule and a test forbid it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, chain

from grove.datasets import gate_name, stage_name
from orchestration.deployment import deployment
from orchestration.gates import GateOperator
from orchestration.job_operators import PlainJobOperator, SparkJobOperator
from orchestration.task_docs import gate_doc, stage_doc

DAY = "{{ partition_key }}"
"""Template of a run's day, which is its partition key."""
POOL = "spark"
"""Pool that limits how many jobs run at once."""
EXECUTION_TIMEOUT = timedelta(hours=8)
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
"""No model hub at run time, and no busy-waiting threads while another job uses the cores."""


def stage(
    job: str,
    *,
    training_pass: str = "candidate",
    arguments: Sequence[str] = (),
    plain: bool = False,
) -> SparkJobOperator | PlainJobOperator:
    """Run `jobs/<job>.py` for the run's day.

    Args:
        job: name of the job; it is the task id as well.
        training_pass: `update` for the second pass of a day.
        arguments: arguments of the job besides day, settings, run id and pass.
        plain: whether the job needs no Spark.

    Returns:
        The task.
    """
    here = deployment()
    second_pass = () if training_pass == "candidate" else ("--pass", training_pass)
    common: dict[str, Any] = {
        "task_id": job,
        "day": DAY,
        "stage": stage_name(job, training_pass),
        "application": here.job(job),
        "application_args": [
            *("--day", DAY, "--settings", here.settings, "--run-id", "{{ run_id }}"),
            *second_pass,
            *arguments,
        ],
        "env_vars": {
            "PYSPARK_PYTHON": here.jobs_python,
            "PYSPARK_DRIVER_PYTHON": here.jobs_python,
            "PYTHONPATH": here.libraries,
            **OFFLINE,
        },
        "execution_timeout": EXECUTION_TIMEOUT,
        "doc_md": stage_doc(job),
    }
    if plain:
        return PlainJobOperator(**common)
    return SparkJobOperator(
        name=f"grove.{job}",
        conn_id="spark_default",
        spark_binary=here.spark_submit,
        jars=here.spark_jars or None,
        driver_memory=f"{here.driver_memory_gib}g" if here.driver_memory_gib else None,
        pool=POOL,
        # A job in client mode cannot be found again after a crash of the worker.
        durable=False,
        **common,
    )


def gate(dataset: str, *, of: str) -> GateOperator:
    """Read the verdict of a stage on a dataset; a failed check stops the run, without retries.

    Args:
        dataset: name of the checked dataset.
        of: stage that checked it; see `grove.datasets.stage_name`.

    Returns:
        The task. If the gate passes, it reports the asset `grove.<dataset>`.
    """
    return GateOperator(
        task_id=gate_name(dataset),
        dataset=dataset,
        stage=of,
        day=DAY,
        outlets=[Asset(f"grove.{dataset}")],
        doc_md=gate_doc(dataset, of),
    )


def stage_with_gate(
    job: str, dataset: str, *, training_pass: str = "candidate", arguments: Sequence[str] = ()
) -> None:
    """Run a job, then read its verdict.

    Args:
        job: name of the job.
        dataset: what it writes.
        training_pass: `update` for the second pass of a day.
        arguments: see `stage`.
    """
    writer = stage(job, training_pass=training_pass, arguments=arguments)
    chain(writer, gate(dataset, of=writer.stage))
