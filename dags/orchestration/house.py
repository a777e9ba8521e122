"""What every DAG of Grove has in common."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import jinja2

from orchestration.deployment import deployment
from orchestration.failure_notice import report_failure


def house_rules() -> dict[str, Any]:
    """Arguments every DAG of this project is made with.

    Returns:
        Keyword arguments of `airflow.sdk.DAG`. A source that has ended gives an end date:
        the run of its last day starts at the next midnight, and no run comes after it.
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
