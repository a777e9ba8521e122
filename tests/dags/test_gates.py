"""A gate logs a verdict, lets warnings pass and stops the run on a failed `fail` check."""

from __future__ import annotations

import json
import logging
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from grove.datasets import Layout
from orchestration import gates
from orchestration.failures import BrokenStage
from orchestration.gates import read_gate, verdict_table

DAY = "2026-08-20"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = Layout(str(tmp_path))
    monkeypatch.setattr(gates, "deployment", lambda: SimpleNamespace(layout=layout))
    return layout


def result(name: str, **changes: Any) -> dict[str, Any]:
    values = {
        "name": name,
        "severity": "fail",
        "passed": True,
        "expected": "> 0",
        "observed": "7",
        "column": None,
        "unexpected_rows": 0,
    }
    return {**values, **changes}


def write(layout: Layout, *results: dict[str, Any], suffix: str = "") -> None:
    file = Path(layout.verdict(date.fromisoformat(DAY), "ingest_landing", f"items{suffix}"))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"dataset": "items", "results": results}), encoding="utf-8")


def test_a_good_verdict_passes_with_a_summary(layout: Layout) -> None:
    write(layout, result("rows"))
    summary = read_gate("items", "ingest_landing", DAY)
    assert (summary["checks"], summary["warnings"]) == (1, [])
    assert summary["report"] == layout.report(date.fromisoformat(DAY), "ingest_landing")


def test_a_warning_is_shown_and_the_run_continues(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    write(layout, result("volume", severity="warn", passed=False, observed="9 rows"))
    with caplog.at_level(logging.INFO):
        summary = read_gate("items", "ingest_landing", DAY)
    assert summary["warnings"] == ["volume: expected > 0, found 9 rows"]
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "warned: volume: expected > 0, found 9 rows"
    ]


def test_a_failed_check_is_named_with_where_to_look(layout: Layout) -> None:
    failed = result("not null", passed=False, column="price", observed="3 nulls", unexpected_rows=3)
    write(layout, result("rows"), failed)
    with pytest.raises(AirflowFailException) as caught:
        read_gate("items", "ingest_landing", DAY)
    message = str(caught.value)
    assert "not null of price: expected > 0, found 3 nulls, 3 rows" in message
    assert "data_docs" in message
    assert "reports" in message
    assert "the served release stays in place" in message


def test_one_bad_partition_is_enough(layout: Layout) -> None:
    write(layout, result("rows"), suffix=".llm")
    write(layout, result("one path per item", passed=False), suffix=".cf")
    with pytest.raises(AirflowFailException, match="one path per item"):
        read_gate("items", "ingest_landing", DAY)


def test_a_stage_without_a_verdict_is_a_bug(layout: Layout) -> None:
    with pytest.raises(BrokenStage, match="ended without checking"):
        read_gate("items", "ingest_landing", DAY)


def test_the_table_lists_failed_checks_first() -> None:
    lines = verdict_table(
        [
            result("rows"),
            result("volume", severity="warn", passed=False),
            result("unit norm", passed=False),
        ]
    )
    assert [line.split()[0] for line in lines[2:]] == ["FAILED", "warned", "passed"]
