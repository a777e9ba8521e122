"""Days in order, and a missing feed named."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout

from grove.datasets import Layout
from orchestration import sensors
from orchestration.sensors import (
    EarlierDaysSensor,
    LandingSensor,
    OtherRun,
    describe_missing,
    earlier_unfinished,
)

DAY = "2026-08-20"


def other(day: str | None, state: str) -> OtherRun:
    return OtherRun(run_id=f"{day}-{state}", day=day, state=state)


@pytest.mark.parametrize(
    ("run", "waits"),
    [
        (other("2026-08-19", "running"), True),
        (other("2026-08-19", "queued"), True),
        (other("2025-12-31", "running"), True),
        (other("2026-08-19", "failed"), False),
        (other("2026-08-19", "success"), False),
        (other("2026-08-20", "running"), False),
        (other("2026-08-21", "queued"), False),
        (other(None, "running"), False),
        (other("2026-8-2", "running"), False),
        (other("20260819", "queued"), False),
        (other(" 2026-08-19", "queued"), False),
    ],
)
def test_only_earlier_unfinished_days_are_waited_for(run: OtherRun, waits: bool) -> None:
    assert bool(earlier_unfinished(DAY, [run])) is waits


def test_the_sensor_waits_while_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [other("2026-08-19", "running")]
    monkeypatch.setattr(sensors, "unfinished_runs", lambda *_: runs)
    sensor = EarlierDaysSensor(task_id="wait", day=DAY, last_task="release.check_release")
    assert sensor.poke({"ti": None}) is False
    runs.clear()
    assert sensor.poke({"ti": None}) is True
    assert sensor.reschedule


def test_the_state_of_a_run_is_read_if_its_last_task_did_not_succeed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One branch of it failed, so its last task never runs; the other branch may be training."""
    from airflow.sdk.execution_time import task_runner

    last = "release.check_release"
    states = {
        "mine": {last: None},
        "done": {last: "success"},
        "closed": {last: "skipped"},
        "half": {last: "upstream_failed"},
        "failed": {last: "failed"},
        "going": {last: None},
    }
    ended = {"failed": "failed"}
    asked: list[str] = []

    def send(message: object) -> SimpleNamespace:
        asked.append(message.run_id)
        state = SimpleNamespace(value=ended.get(message.run_id, "running"))
        return SimpleNamespace(run_id=message.run_id, partition_key="2026-08-19", state=state)

    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", SimpleNamespace(send=send), raising=False)
    ti = SimpleNamespace(
        dag_id="daily_refresh", run_id="mine", get_task_states=lambda *_, **__: states
    )
    found = sensors.unfinished_runs(ti, last)
    assert asked == ["half", "failed", "going"]
    waits = [run.run_id for run in earlier_unfinished(DAY, found)]
    assert sorted(waits) == ["going", "half"]


def test_a_timeout_names_the_missing_feed(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    day = date.fromisoformat(DAY)
    landed = Path(layout.landing_feed("events", day))
    landed.mkdir(parents=True)
    (landed / "part-00000.jsonl").touch()
    message = describe_missing(layout, day, feeds=("events", "catalogue"), hours=6)
    assert message.startswith("2026-08-20 has not landed within 6 hours. Missing: feed `catalogue`")
    assert "`events`" not in message
    assert "only the marker" in describe_missing(layout, day, feeds=("events",), hours=6)


def test_the_landing_sensor_looks_for_the_marker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = Layout(str(tmp_path))
    here = SimpleNamespace(layout=layout, feeds=("events",))
    monkeypatch.setattr(sensors, "deployment", lambda: here)
    sensor = LandingSensor(task_id="wait", day=DAY, timeout=3600)
    assert sensor.poke({}) is False

    def time_out(task: BaseSensorOperator, context: object) -> None:
        raise AirflowSensorTimeout("too long")

    monkeypatch.setattr(BaseSensorOperator, "execute", time_out)
    with pytest.raises(AirflowFailException, match=r"within 1 hours. Missing: feed `events`"):
        sensor.execute({})
    marker = Path(layout.landing_marker(date.fromisoformat(DAY)))
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert sensor.poke({}) is True
