"""Which day a run is for, and whether there is anything to do on it."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime
from pathlib import Path
from typing import Any

from airflow.sdk import timezone
from airflow.sdk.exceptions import AirflowFailException

from orchestration.deployment import deployment

log = logging.getLogger(__name__)

HOW_TO = (
    "Start the run with a day as its partition key, in the form YYYY-MM-DD: in the UI by the "
    "field `partition key` of the trigger form, or with `make trigger DAY=2026-08-20`."
)


def require_day(day: str, *, may_be_today: bool = False) -> str:
    """Refuse a run without a day, with something else than a day, or with one that is not over.

    Args:
        day: the run's partition key as rendered; a run without one renders "None".
        may_be_today: whether the DAG reads nothing of its day, so that it need not be over.

    Returns:
        The day.

    Raises:
        AirflowFailException: with what to do instead.
    """
    if day in ("", "None"):
        raise AirflowFailException(f"this run has no day. {HOW_TO}")
    try:
        parsed = datetime.strptime(day, "%Y-%m-%d").date()  # noqa: DTZ007  a day has no zone
    except ValueError:
        raise AirflowFailException(f"{day!r} is not a day. {HOW_TO}") from None
    today: date = timezone.utcnow().date()
    if parsed > today or (parsed == today and not may_be_today):
        raise AirflowFailException(
            f"{day} is not over: today is {today} (UTC). A day runs once it is over. {HOW_TO}"
        )
    return day


def is_open(day: str, ti: Any) -> bool:
    """Whether the source was open that day; a closed day skips every later task.

    Args:
        day: the run's day.
        ti: the running task instance; the reason is kept beside it under `reason`.

    Returns:
        False on a closed day.
    """
    report = json.loads(
        Path(deployment().layout.report(date.fromisoformat(day), "ingest_landing")).read_text(
            encoding="utf-8"
        )
    )
    if report["status"] != "closed":
        return True
    reason = report.get("notes", {}).get("reason") or "the source's calendar says so"
    log.warning("%s is a closed day: %s. Nothing is learnt and nothing is published.", day, reason)
    ti.xcom_push(key="reason", value=reason)
    return False


def has_not_landed(day: str) -> bool:
    """Whether a day's marker is still missing."""
    marker = Path(deployment().layout.landing_marker(date.fromisoformat(day)))
    if marker.is_file():
        log.info("%s has landed already: %s", day, marker)
    return not marker.is_file()
