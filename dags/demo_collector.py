"""Land each day of the simulated marketplace, as a shop's collector would.

Starts at midnight UTC and writes the day that has just ended into the landing zone, so that
`daily_refresh` has a new day after the demo. A day that has landed is not landed again: the
refresh may be reading it. If the source is not a simulator, the DAG stays paused.

**On call.** If `land_source` is red, the day does not land and `wait_for_landing` of
`daily_refresh` times out: read the job's log, then clear the task.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, chain

from orchestration.days import has_not_landed, require_day
from orchestration.house import every_midnight, house_rules
from orchestration.stages import DAY, stage

with DAG(
    dag_id="demo_collector",
    doc_md=__doc__,
    schedule=every_midnight(),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    tags=["grove", "demo"],
    **house_rules(),
):
    chain(
        PythonOperator(task_id="require_day", python_callable=require_day, op_args=[DAY]),
        ShortCircuitOperator(
            task_id="has_not_landed", python_callable=has_not_landed, op_args=[DAY]
        ),
        stage("land_source", plain=True),
    )
