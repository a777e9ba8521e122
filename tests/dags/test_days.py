"""Runs without a day, with a bad day, on a closed day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from grove.datasets import Layout
from orchestration import days
from orchestration.days import has_not_landed, is_open, require_day

DAY = "2026-08-20"


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = Layout(str(tmp_path))
    clock = SimpleNamespace(utcnow=lambda: datetime(2026, 8, 21, 0, 5, tzinfo=UTC))
    monkeypatch.setattr(days, "deployment", lambda: SimpleNamespace(layout=layout))
    monkeypatch.setattr(days, "timezone", clock)
    return layout


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize("day", [DAY, "2011-11-01"])
def test_a_day_that_is_over_is_taken(day: str) -> None:
    assert require_day(day) == day


@pytest.mark.usefixtures("layout")
def test_only_a_dag_that_does_not_read_the_day_may_run_for_today() -> None:
    assert require_day("2026-08-21", may_be_today=True) == "2026-08-21"
    with pytest.raises(AirflowFailException, match="2026-08-22 is not over"):
        require_day("2026-08-22", may_be_today=True)


@pytest.mark.usefixtures("layout")
@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("None", "this run has no day. Start the run with a day as its partition key"),
        ("", "this run has no day"),
        ("yesterday", "'yesterday' is not a day"),
        ("2026-02-30", "'2026-02-30' is not a day"),
        ("2026-8-2", "'2026-8-2' is not a day in the form YYYY-MM-DD"),
        ("20260802", "'20260802' is not a day"),
        ("2026-W34-4", "'2026-W34-4' is not a day"),
        (" 2026-08-02", "' 2026-08-02' is not a day"),
        ("2026-08-02\n", "'2026-08-02\\n' is not a day"),
        ("２０２６-０８-０２", "is not a day"),
        ("2026-08-02T00:00:00", "is not a day"),
        ("2026-08-21", "2026-08-21 is not over: today is 2026-08-21"),
        ("2026-08-22", "2026-08-22 is not over: today is 2026-08-21"),
    ],
)
def test_any_other_value_is_rejected_with_the_next_step(day: str, message: str) -> None:
    with pytest.raises(AirflowFailException, match="make trigger DAY=") as caught:
        require_day(day)
    assert message in str(caught.value)


def report(layout: Layout, **values: object) -> None:
    file = Path(layout.report(date.fromisoformat(DAY), "ingest_landing"))
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(values), encoding="utf-8")


def test_an_open_day_continues(layout: Layout) -> None:
    report(layout, status="committed")
    assert is_open(DAY, ti=None) is True


def test_a_rejected_day_continues_to_its_gates(layout: Layout) -> None:
    report(layout, status="refused")
    assert is_open(DAY, ti=None) is True


def test_a_closed_day_skips_the_rest_and_keeps_the_reason(layout: Layout) -> None:
    report(layout, status="closed", notes={"reason": "a Saturday"})
    kept: dict[str, str] = {}
    ti = SimpleNamespace(xcom_push=lambda key, value: kept.update({key: value}))
    assert is_open(DAY, ti=ti) is False
    assert kept == {"reason": "a Saturday"}


def test_a_day_is_landed_once(layout: Layout) -> None:
    assert has_not_landed(DAY) is True
    marker = Path(layout.landing_marker(date.fromisoformat(DAY)))
    marker.parent.mkdir(parents=True)
    marker.write_text("{}", encoding="utf-8")
    assert has_not_landed(DAY) is False
