"""Delete data that is older than its retention, once a week.

Starts on Sundays at 03:00 UTC. Tables lose the partitions that exceed the retention of their
contracts; attempts, landed days and releases follow the settings; unreferenced table files are
removed. The served release and everything it names always stay. A second run deletes nothing
more.

**On call.** A red `expire_partitions` costs disk space, not data: read its log and clear the
task within the week.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, CronPartitionTimetable, chain

from orchestration.days import require_day
from orchestration.house import house_rules
from orchestration.stages import DAY, stage

with DAG(
    dag_id="retention",
    doc_md=__doc__,
    schedule=CronPartitionTimetable("0 3 * * 0", timezone="UTC", key_format="%Y-%m-%d"),
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=12),
    tags=["grove", "maintenance"],
    **house_rules(),
):
    chain(
        PythonOperator(
            task_id="require_day",
            python_callable=require_day,
            op_args=[DAY],
            # It starts within its day and does not read it.
            op_kwargs={"may_be_today": True},
        ),
        stage("expire_partitions"),
    )
