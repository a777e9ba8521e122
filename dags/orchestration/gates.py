"""Gates: read a verdict, log it, and stop the run if a check failed.

The checks ran inside the job, on the rows it had staged, before it committed anything.
A gate starts no Spark; it reads the JSON file the job left.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from grove.datasets import Layout
from grove.day import parse_day
from grove.plain_text import visible
from orchestration.deployment import deployment
from orchestration.failures import BrokenStage
from orchestration.links import DayLink, ReportLink

log = logging.getLogger(__name__)

COLUMNS = ("outcome", "check", "column", "expected", "observed", "rows")


class GateOperator(BaseOperator):
    """Read a verdict; see `read_gate`.

    Args:
        dataset: name of the checked dataset.
        stage: stage that checked it.
        day: the run's day.
    """

    template_fields: Sequence[str] = ("day",)
    operator_extra_links = (DayLink(), ReportLink())

    def __init__(self, *, dataset: str, stage: str, day: str, **task: Any) -> None:
        super().__init__(**task)
        self.dataset = dataset
        self.stage = stage
        self.day = day

    def execute(self, context: Context) -> dict[str, Any]:
        """Log the verdict, and fail if a check failed."""
        return read_gate(self.dataset, self.stage, self.day)


def read_gate(dataset: str, stage: str, day: str) -> dict[str, Any]:
    """Log the verdict of one stage on one dataset and day.

    Args:
        dataset: name of the checked dataset.
        stage: stage that checked it.
        day: the run's day, YYYY-MM-DD.

    Returns:
        A short summary, which Airflow stores with the task.

    Raises:
        AirflowFailException: a check of severity `fail` failed.
        BrokenStage: there is no verdict.
    """
    layout = deployment().layout
    at = parse_day(day)
    results = read_verdict(layout, at, stage, dataset)
    for line in verdict_table(results):
        log.info("%s", line)
    failed = [result for result in results if is_failure(result)]
    warned = [result for result in results if not result["passed"] and not is_failure(result)]
    for result in warned:
        log.warning("warned: %s", describe(result))
    locations = f"report: {layout.report(at, stage)}; Data Docs: {layout.data_docs(at)}/index.html"
    log.info("%s", locations)
    if failed:
        raise AirflowFailException(
            f"{dataset} of {day} was rejected: {'; '.join(map(describe, failed))}. The earlier "
            f"data is untouched, and the served release stays in place. {locations}"
        )
    return {
        "checks": len(results),
        "warnings": [describe(result) for result in warned],
        "report": layout.report(at, stage),
        "data_docs": f"{layout.data_docs(at)}/index.html",
    }


def read_verdict(layout: Layout, day: date, stage: str, dataset: str) -> list[dict[str, Any]]:
    """Results of a stage's checks on a dataset.

    A dataset that a stage writes in several partitions has one file per partition.

    Raises:
        BrokenStage: the stage left no verdict.
    """
    expected = Path(layout.verdict(day, stage, dataset))
    files = sorted(
        {*expected.parent.glob(f"{dataset}.json"), *expected.parent.glob(f"{dataset}.*.json")}
    )
    if not files:
        raise BrokenStage(
            f"no verdict on {dataset} of {day}: expected {expected}, found nothing. The stage "
            f"{stage} ended without checking its output, which is a bug: read its log."
        )
    return [
        result
        for file in files
        for result in json.loads(file.read_text(encoding="utf-8"))["results"]
    ]


def is_failure(result: dict[str, Any]) -> bool:
    """Whether a result stops the run."""
    return not result["passed"] and result["severity"] == "fail"


def describe(result: dict[str, Any]) -> str:
    """One result as a clause."""
    column = f" of {result['column']}" if result.get("column") else ""
    rows = f", {result['unexpected_rows']} rows" if result.get("unexpected_rows") else ""
    return visible(
        f"{result['name']}{column}: expected {result['expected']}, found {result['observed']}{rows}"
    )


def verdict_table(results: list[dict[str, Any]]) -> list[str]:
    """Results as aligned lines, failed checks first.

    Example:
        >>> passed = {"name": "rows", "severity": "fail", "passed": True, "expected": "> 0",
        ...           "observed": "7"}
        >>> verdict_table([passed])[2]
        'passed   rows           > 0       7         0'
    """
    ordered = sorted(results, key=lambda result: (result["passed"], result["severity"] != "fail"))
    rows = [COLUMNS, *map(_cells, ordered)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [lines[0], "-" * len(lines[0]), *lines[1:]]


def _cells(result: dict[str, Any]) -> tuple[str, ...]:
    outcome = "passed" if result["passed"] else {"fail": "FAILED"}.get(result["severity"], "warned")
    return (
        outcome,
        visible(result["name"]),
        visible(result.get("column") or ""),
        visible(result["expected"]),
        visible(result["observed"]),
        str(result.get("unexpected_rows") or 0),
    )
