"""The day of a run: validation, closed days and landed days."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from typing import Any

from airflow.sdk import timezone
from airflow.sdk.exceptions import AirflowFailException

from grove.day import parse_day
from orchestration.deployment import deployment

log = logging.getLogger(__name__)

HOW_TO = (
    "Start the run with a day as its partition key, in the form YYYY-MM-DD: in the UI by the "
    "field `partition key` of the trigger form, or with `make trigger DAY=2026-08-20`."
)


def require_day(day: str, *, may_be_today: bool = False) -> str:
    """Reject a run without a valid day, or with a day that is not over.

    A day has one spelling, that of `grove.day`: the sensors and gates after this task compare days
    as text, and jobs read them by the same rule.

    Args:
        day: the run's rendered partition key; a run without one renders "None".
        may_be_today: whether the day need not be over, since the DAG does not read it.

    Returns:
        The day.

    Raises:
        AirflowFailException: the day is missing, invalid or not over.
    """
    if day in ("", "None"):
        raise AirflowFailException(f"this run has no day. {HOW_TO}")
    try:
        parsed = parse_day(day)
    except ValueError as error:
        raise AirflowFailException(f"{error}. {HOW_TO}") from None
    today: date = timezone.utcnow().date()
    if parsed > today or (parsed == today and not may_be_today):
        raise AirflowFailException(
            f"{day} is not over: today is {today} (UTC). A day can run once it is over. {HOW_TO}"
        )
    return day


def is_open(day: str, ti: Any) -> bool:
    """Whether the source was open that day; a closed day skips every later task.

    Args:
        day: the run's day.
        ti: the running task instance; stores the reason under the XCom key `reason`.

    Returns:
        False on a closed day.
    """
    report = json.loads(
        Path(deployment().layout.report(parse_day(day), "ingest_landing")).read_text(
            encoding="utf-8"
        )
    )
    if report["status"] != "closed":
        return True
    reason = report.get("notes", {}).get("reason") or "closed by the source's calendar"
    log.warning(
        "%s is a closed day: %s. No model is trained and no release is published.", day, reason
    )
    ti.xcom_push(key="reason", value=reason)
    return False


def has_not_landed(day: str) -> bool:
    """Whether a day's marker is still missing."""
    marker = Path(deployment().layout.landing_marker(parse_day(day)))
    if marker.is_file():
        log.info("%s has landed already: %s", day, marker)
    return not marker.is_file()
