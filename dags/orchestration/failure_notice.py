"""Notices of failed and late runs: a file in the home, and a request to the webhook if set."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from airflow.sdk import timezone

from grove.plain_text import json_text
from orchestration.deployment import deployment
from orchestration.failures import on_call

LONGEST_STEM = 180
"""Bytes of a file's name; with a hash, process id and endings it stays below the usual 255."""

log = logging.getLogger(__name__)


def report_failure(context: Any) -> None:
    """Write a notice of a task that failed after its last retry; Airflow calls this.

    Args:
        context: Airflow's task context.
    """
    ti = context["ti"]
    error = context.get("exception")
    leave_notice(
        {
            "kind": "failed",
            "dag": ti.dag_id,
            "task": ti.task_id,
            "day": context["dag_run"].partition_key,
            "run_id": ti.run_id,
            "reason": str(error or "unknown"),
            "log": ti.log_url,
            "on_call": on_call(ti.task_id, error),
        }
    )


def report_late_run(context: Any) -> None:
    """Write a notice of a run that misses its deadline; Airflow calls this.

    Args:
        context: context of Airflow's deadline.
    """
    run = context.get("dag_run", {})
    leave_notice(
        {
            "kind": "late",
            "dag": run.get("dag_id"),
            "task": None,
            "day": run.get("partition_key"),
            "run_id": run.get("dag_run_id") or run.get("run_id"),
            "reason": f"not finished {deployment().deadline_hours:g} hours after it was queued",
            "log": None,
            "on_call": "look for a waiting task: a missing feed, an earlier day, a full pool",
        }
    )


def leave_notice(notice: dict[str, Any]) -> Path:
    """Write a notice and send it to the webhook.

    The rename is atomic: `make run` reads notices during a run and sees a whole one or none.

    Args:
        notice: its fields; see `report_failure`.

    Returns:
        The file.
    """
    stamped = {**notice, "at": timezone.utcnow().isoformat()}
    folder = Path(deployment().layout.notices())
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{_file_stem(notice)}.json"
    text = json_text(stamped, indent=2)
    beside = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(file)
    log.error("notice written to %s", file)
    _send(text)
    return file


def _file_stem(notice: dict[str, Any]) -> str:
    """Day, kind, task and run as a name; a hash keeps long ones apart from each other."""
    parts = (notice["day"], notice["kind"], notice["task"] or notice["dag"], notice["run_id"])
    whole = "-".join(map(str, parts))
    stem = re.sub(r"[^\w.-]+", "_", whole)
    if len(stem.encode()) <= LONGEST_STEM:
        return stem
    digest = hashlib.blake2b(whole.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{stem.encode()[:LONGEST_STEM].decode('utf-8', 'ignore')}-{digest}"


def _send(text: str) -> None:
    webhook = deployment().webhook
    if not webhook:
        return
    request = urllib.request.Request(
        webhook, data=text.encode(), headers={"Content-Type": "application/json"}
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except (OSError, HTTPException, ValueError) as error:
        log.warning("webhook delivery failed: %s", error)
