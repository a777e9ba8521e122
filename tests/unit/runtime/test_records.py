"""Rows of a run about itself hold any text that a landing brings into its report or verdicts."""

from __future__ import annotations

import json
from datetime import date

import pytest
from tests.unit.test_plain_text import HOSTILE

from grove.contracts import CheckResult, Verdict
from grove.datasets import QUALITY_RESULTS, STAGE_REPORTS, Layout
from grove.plain_text import visible
from grove.runtime.files import read_json, write_json
from grove.runtime.records import write_reports, write_verdicts
from grove.runtime.reports import Report
from grove.runtime.tables import read_arrow

DAY = date(2026, 8, 20)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_report_keeps_names_of_files_and_columns_as_they_are(layout: Layout, text: str) -> None:
    report = Report("ingest_landing", DAY, "test")
    report.note("extra_columns", {text: [text]})
    write_json(layout.report(DAY, "ingest_landing"), report.as_json())
    assert read_json(layout.report(DAY, "ingest_landing"))["notes"]["extra_columns"] == {
        text: [text]
    }
    write_reports(layout, "ingest_landing", [report])
    row = read_arrow(layout, STAGE_REPORTS)["report"][0].as_py()
    assert json.loads(row)["notes"]["extra_columns"] == {text: [text]}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_check_that_found_such_a_name_has_a_row(layout: Layout, text: str) -> None:
    result = CheckResult(
        name="columns_known", severity="warn", passed=False, expected=text, observed=text
    )
    verdict = Verdict("interactions", (result,))
    write_verdicts(layout, "ingest_landing", {DAY: [verdict]})
    assert read_arrow(layout, QUALITY_RESULTS)["observed"].to_pylist() == [visible(text)]
    assert Verdict.from_json(verdict.to_json()) == verdict
