"""Rows of a stage run in `quality_results`, `stage_reports` and `metrics`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import pyarrow as pa

from grove.contracts import arrow_schema, load_contract
from grove.contracts.verdict import Verdict
from grove.datasets import METRICS, QUALITY_RESULTS, STAGE_REPORTS, Dataset, Layout
from grove.plain_text import visible
from grove.runtime.reports import Report
from grove.runtime.tables import replace_partition


def write_verdicts(layout: Layout, stage: str, verdicts: Mapping[date, Sequence[Verdict]]) -> None:
    """Replace a stage's check results of some days, one row per dataset and check."""
    rows = [row for day, found in verdicts.items() for row in _result_rows(day, stage, found)]
    _replace(layout, QUALITY_RESULTS, rows, stage, verdicts)


def write_reports(layout: Layout, stage: str, reports: Sequence[Report]) -> None:
    """Replace a stage's report rows of some days."""
    rows = [report.as_row() for report in reports]
    _replace(layout, STAGE_REPORTS, rows, stage, [report.day for report in reports])


def write_metrics(layout: Layout, day: date, stage: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Replace the metrics of a stage on a day.

    Args:
        layout: paths of the home folder.
        day: day of the run.
        stage: name the stage reports under.
        rows: model, metric, value and support, and where they differ from none and
            `all`, cutoff and segment.
    """
    defaults = {"day": day, "stage": stage, "cutoff": None, "segment": "all"}
    _replace(layout, METRICS, [{**defaults, **row} for row in rows], stage, [day])


def _result_rows(day: date, stage: str, verdicts: Iterable[Verdict]) -> Iterable[dict[str, Any]]:
    for verdict in verdicts:
        for result in verdict.results:
            row = asdict(result)
            row["check_name"] = row.pop("name")
            row["column_name"] = row.pop("column")
            # A table cannot hold a lone surrogate, which a name of a file may bring into a text.
            row |= {"expected": visible(result.expected), "observed": visible(result.observed)}
            yield {"day": day, "stage": stage, "dataset": verdict.dataset, **row}


def _replace(
    layout: Layout,
    dataset: Dataset,
    rows: Sequence[Mapping[str, Any]],
    stage: str,
    days: Iterable[date],
) -> None:
    schema = arrow_schema(load_contract(dataset))
    table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    replace_partition(table, layout, dataset, {"day": sorted(days), "stage": stage})
