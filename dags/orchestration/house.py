"""Arguments, schedule and deadline shared by every DAG of Grove."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import jinja2
from airflow.sdk import CronPartitionTimetable, Param
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from orchestration.deployment import deployment
from orchestration.failure_notice import report_failure, report_late_run


def house_rules() -> dict[str, Any]:
    """Arguments of every DAG of this project.

    Returns:
        Keyword arguments of `airflow.sdk.DAG`. For a source that has ended they hold an end
        date: the run of its last day starts at the next midnight, and is the last one.
    """
    here = deployment()
    midnight = time(tzinfo=UTC)
    end = here.last_day and datetime.combine(here.last_day + timedelta(days=1), midnight)
    return {
        "start_date": datetime.combine(here.first_day, midnight),
        "end_date": end,
        "catchup": False,
        "template_undefined": jinja2.StrictUndefined,
        "default_args": {
            "owner": "recall-team",
            "retries": 2,
            "retry_delay": timedelta(minutes=2),
            "retry_exponential_backoff": True,
            "on_failure_callback": report_failure,
        },
    }


def every_midnight() -> CronPartitionTimetable:
    """Schedule at midnight UTC, for the day that has just ended."""
    return CronPartitionTimetable("0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d")


def late_after(hours: float) -> DeadlineAlert:
    """Deadline that writes a notice if a run is not finished so many hours after it was queued."""
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=hours),
        callback=SyncCallback(report_late_run),
    )


def switch(description: str) -> Param:
    """A parameter of the trigger form that is off by default."""
    return Param(False, type="boolean", description=description)
