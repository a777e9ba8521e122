"""Only missing days are landed, ingested and run; and days run in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from grove.datasets import Layout
from grove.errors import DataError, InfrastructureError, SettingsError
from grove.runtime.arguments import days_between
from grove.runtime.files import write_json, write_text
from grove.runtime.locks import hold_lock
from grove.settings import Settings
from grove.settings.load import parse_settings
from infra.local import refresh
from infra.local.days_to_run import DaysToRun, plan_days, require_days_that_can_run
from infra.local.installation import Installation, remembered_port
from infra.local.refresh import (
    RunRequest,
    backfill_days,
    prepare_data,
    run_days,
    run_missing,
    trigger_day,
)

TODAY = date(2026, 8, 21)
PLAN = plan_days(today=TODAY, known_first=None, days=None)
DAYS = [str(day) for day in PLAN.days]
"""Three days; the last one is yesterday."""


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(home=tmp_path, port=8123)


@pytest.fixture
def settings(installation: Installation) -> Settings:
    return parse_settings({"home": str(installation.home)}, where="test")


class Jobs:
    """Replaces the jobs: records its calls, and writes markers and reports."""

    def __init__(self, home: Path) -> None:
        self.layout = Layout(str(home))
        self.calls: list[tuple[str, ...]] = []
        self.status: dict[str, str] = {}

    def plain(self, job: str, _: Path, *words: str) -> None:
        self.calls.append((job, *words[1::2]))
        if job == "land_source":
            for day in between(words[1], words[3]):
                write_text(self.layout.landing_marker(day), "{}")

    def spark(self, job: str, _: Path, __: Settings, *words: str) -> None:
        self.calls.append((job, *words[1::2]))
        for day in between(words[1], words[3]):
            status = self.status.get(str(day), "committed")
            if status != "none":
                write_json(self.layout.report(day, job), {"status": status})


def between(first: str, last: str) -> list[date]:
    ends = date.fromisoformat(first), date.fromisoformat(last)
    return [ends[0] + timedelta(days=offset) for offset in range((ends[1] - ends[0]).days + 1)]


@pytest.fixture
def jobs(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    jobs = Jobs(installation.home)
    monkeypatch.setattr(refresh, "run_plain", jobs.plain)
    monkeypatch.setattr(refresh, "run_spark", jobs.spark)
    return jobs


def test_a_second_run_lands_only_what_is_missing(
    installation: Installation, settings: Settings, jobs: Jobs
) -> None:
    prepare_data(installation, settings, PLAN)
    span = (str(PLAN.history_first), str(PLAN.last))
    history = (str(PLAN.history_first), str(PLAN.history_last))
    assert jobs.calls == [
        ("create_tables",),
        ("land_source", *span),
        ("ingest_landing", *history),
    ]
    jobs.calls.clear()
    prepare_data(installation, settings, PLAN)
    assert jobs.calls == [("create_tables",)]


def test_days_between_two_missing_ones_are_left_alone(
    installation: Installation, settings: Settings, jobs: Jobs
) -> None:
    prepare_data(installation, settings, PLAN)
    for day in ("2026-08-01", "2026-08-02", "2026-08-05"):
        Path(jobs.layout.landing_marker(date.fromisoformat(day))).unlink()
    jobs.calls.clear()
    prepare_data(installation, settings, PLAN)
    assert [call[1:] for call in jobs.calls if call[0] == "land_source"] == [
        ("2026-08-01", "2026-08-02"),
        ("2026-08-05", "2026-08-05"),
    ]


@pytest.mark.parametrize("status", ["refused", "failed"])
def test_a_rejected_day_of_the_history_is_reported_as_a_gap(
    installation: Installation,
    settings: Settings,
    jobs: Jobs,
    status: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    jobs.status = {"2026-08-03": status, "2026-08-04": "closed"}
    prepare_data(installation, settings, PLAN)
    output = capsys.readouterr().out
    assert f"1 of 28 days of the history are gaps: 2026-08-03 {status}\n" in output
    jobs.calls.clear()
    prepare_data(installation, settings, PLAN)
    assert jobs.calls == [("create_tables",)]


def test_a_history_without_an_accepted_day_is_ingested_again(
    installation: Installation, settings: Settings, jobs: Jobs
) -> None:
    days = days_between(PLAN.history_first, PLAN.history_last)
    jobs.status = {str(day): "refused" for day in days}
    with pytest.raises(DataError, match="no day of the history was accepted") as caught:
        prepare_data(installation, settings, PLAN)
    assert f"{days[0]} refused" in caught.value.found
    jobs.status.clear()
    jobs.calls.clear()
    prepare_data(installation, settings, PLAN)
    assert jobs.calls[-1][0] == "ingest_landing"


class FakeApi:
    """Airflow that keeps runs, and starts yesterday's as soon as it is unpaused."""

    def __init__(self, states: dict[str, str], *, backfilling: bool = False) -> None:
        self.states = [self.run(day, state) for day, state in states.items()]
        self.backfilling = backfilling
        self.scheduled: str | None = DAYS[-1]
        self.done: list[tuple[str, ...]] = []

    @staticmethod
    def run(day: str, state: str) -> dict[str, Any]:
        return {"partition_key": day, "state": state, "dag_run_id": f"{day} {state}"}

    def runs(self) -> list[dict[str, Any]]:
        return list(self.states)

    def pause(self, dag: str) -> None:
        self.done.append(("pause", dag))

    def unpause(self, dag: str) -> None:
        self.done.append(("unpause", dag))
        if dag == "daily_refresh" and self.scheduled:
            self.states.append(self.run(self.scheduled, "queued"))

    def require_unpaused(self, dag: str) -> None:
        raise InfrastructureError(f"{dag} is paused", where="", expected="", found="", next_step="")

    def make_pool(self, *_: object) -> None:
        self.done.append(("pool",))

    def is_backfilling(self) -> bool:
        return self.backfilling

    def backfill(self, first: date, last: date, *, again: str) -> None:
        self.done.append(("backfill", str(first), str(last), again))

    def trigger(self, day: date, _: dict[str, Any]) -> None:
        self.done.append(("trigger", str(day)))


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Days that are waited for, instead of waiting for them."""
    days: list[str] = []
    monkeypatch.setattr(refresh, "utc_today", lambda: TODAY)
    monkeypatch.setattr(refresh, "SCHEDULE_SECONDS", 0)
    monkeypatch.setattr(refresh, "watch_days", lambda *of, **_: days.extend(map(str, of[2])))
    return days


def start(api: FakeApi, plan: DaysToRun = PLAN) -> list[tuple[str, ...]]:
    run_missing(api, Layout("/nowhere"), plan, simulated=False)
    return api.done


PAUSE, UNPAUSE = ("pause", "daily_refresh"), ("unpause", "daily_refresh")


def test_earlier_days_have_their_runs_before_the_scheduler_may_start_yesterday(
    watched: list[str],
) -> None:
    assert start(FakeApi({})) == [PAUSE, ("backfill", DAYS[0], DAYS[1], "failed"), UNPAUSE]
    assert watched == DAYS


def test_a_second_run_asks_only_for_the_days_that_are_missing(watched: list[str]) -> None:
    api = FakeApi({DAYS[0]: "success", DAYS[1]: "failed", DAYS[2]: "success"})
    assert start(api) == [PAUSE, ("backfill", DAYS[1], DAYS[1], "failed"), UNPAUSE]
    assert watched == [DAYS[1]]


def test_when_nothing_is_missing_nothing_is_started(watched: list[str]) -> None:
    assert start(FakeApi(dict.fromkeys(DAYS, "success"))) == [PAUSE, UNPAUSE]
    assert watched == []


def test_active_days_are_watched_and_not_started_again(watched: list[str]) -> None:
    api = FakeApi({DAYS[0]: "success", DAYS[1]: "running", DAYS[2]: "queued"})
    assert start(api) == [PAUSE, UNPAUSE]
    assert watched == DAYS[1:]


def test_a_run_that_ends_meanwhile_is_waited_for(
    watched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts as running or as ended, never as running and as one to ignore."""
    api = FakeApi({DAYS[0]: "success", DAYS[1]: "running", DAYS[2]: "success"})
    seen: list[frozenset[str]] = []
    monkeypatch.setattr(refresh, "watch_days", lambda *_, ignored: seen.append(ignored))

    def runs() -> list[dict[str, Any]]:
        now = list(api.states)
        api.states[1] = api.run(DAYS[1], "failed")
        return now

    monkeypatch.setattr(api, "runs", runs)
    assert ("backfill", DAYS[1], DAYS[1], "failed") in start(api)
    assert f"{DAYS[1]} failed" not in seen[0]


def test_yesterday_that_failed_is_triggered(watched: list[str]) -> None:
    api = FakeApi({DAYS[0]: "success", DAYS[1]: "success", DAYS[2]: "failed"})
    assert start(api) == [PAUSE, UNPAUSE, ("trigger", DAYS[2])]


def test_yesterday_is_triggered_where_the_scheduler_passes_over_it(watched: list[str]) -> None:
    api = FakeApi({DAYS[0]: "success", DAYS[1]: "success"})
    api.scheduled = None
    assert start(api) == [PAUSE, UNPAUSE, ("trigger", DAYS[2])]


def test_a_plan_from_before_midnight_is_run_as_a_whole(
    watched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day that was yesterday when the history was ingested is not scheduled any more."""
    monkeypatch.setattr(refresh, "utc_today", lambda: TODAY + timedelta(days=1))
    assert start(FakeApi({})) == [PAUSE, ("backfill", DAYS[0], DAYS[2], "failed"), UNPAUSE]


def test_beside_an_active_backfill_days_are_triggered_in_order(watched: list[str]) -> None:
    api = FakeApi({}, backfilling=True)
    assert start(api) == [PAUSE, ("trigger", DAYS[0]), ("trigger", DAYS[1]), UNPAUSE]


def test_the_dag_is_paused_before_there_is_a_scheduler(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped Airflow was left unpaused, and would start yesterday within seconds."""
    api = FakeApi({})
    done = api.done

    def start_airflow(*_: object, before_scheduler: Callable[[], None]) -> None:
        before_scheduler()
        done.append(("scheduler",))

    monkeypatch.setattr(refresh, "start_airflow", start_airflow)
    monkeypatch.setattr(refresh, "open_api", lambda _: api)
    monkeypatch.setattr(refresh, "wait_for_airflow", lambda _: api)
    monkeypatch.setattr(refresh, "prepare_data", lambda *_: done.append(("data",)))
    monkeypatch.setattr(refresh, "run_missing", lambda *_, **__: done.append(("days",)))
    monkeypatch.setattr(refresh, "show_outcome", lambda *_: done.append(("outcome",)))
    monkeypatch.setattr(refresh, "require_free_port", lambda _: done.append(("port",)))
    run_days(installation, RunRequest(source="marketplace", data=None, days=None, size="tiny"))
    assert done == [
        *(("port",), ("data",), PAUSE, ("scheduler",), ("pool",), ("days",), ("outcome",)),
    ]
    assert remembered_port(installation.home) == str(installation.port)


def test_a_second_run_beside_a_running_one_is_rejected(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would restart the Airflow of the first one, and overwrite its settings."""
    monkeypatch.setattr(refresh, "require_free_port", lambda _: None)
    request = RunRequest(source="marketplace", data=None, days=None, size="tiny")
    with (
        hold_lock(installation.home / "make-run.lock", wait_seconds=0),
        pytest.raises(InfrastructureError, match="another run holds the lock"),
    ):
        run_days(installation, request)
    assert not installation.settings_file.exists()


def test_a_restart_of_airflow_is_printed(
    installation: Installation,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(refresh, "start_airflow", lambda *_, **__: True)
    for running, same, verb in (({}, False, "starting"), ({"scheduler": 1}, False, "restarting")):
        monkeypatch.setattr(refresh, "running_components", lambda _, running=running: running)
        monkeypatch.setattr(refresh, "runs_with", lambda *_, same=same: same)
        refresh.bring_up_airflow(installation, settings, last_day=None)
        assert f"grove: {verb} Airflow" in capsys.readouterr().out


def test_nothing_is_triggered_in_a_paused_dag(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = FakeApi({})
    monkeypatch.setattr(refresh, "open_api", lambda _: api)
    write_text(installation.settings_file, f"home: {installation.home}\n")
    for day in PLAN.days:
        write_text(Layout(str(installation.home)).landing_marker(day), "{}")
    with pytest.raises(InfrastructureError, match="paused"):
        trigger_day(installation, PLAN.first, retrain=False)
    with pytest.raises(InfrastructureError, match="paused"):
        backfill_days(installation, PLAN.first, PLAN.last)
    assert api.done == []


def test_a_day_that_would_wait_forever_is_rejected_before_a_request_to_airflow(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "utc_today", lambda: TODAY)
    settings = f"home: {installation.home}\nsource:\n  first_day: {PLAN.history_first}\n"
    write_text(installation.settings_file, settings)
    landed = (PLAN.history_first, PLAN.first, TODAY)
    for day in landed:
        write_text(Layout(str(installation.home)).landing_marker(day), "{}")
    for day in (PLAN.history_first, PLAN.days[1], TODAY, date(2025, 8, 20)):
        with pytest.raises(SettingsError, match="some days cannot be run") as caught:
            trigger_day(installation, day, retrain=False)
        assert caught.value.found == f"{day}..{day}"
    with pytest.raises(SettingsError, match=f"up to {PLAN.last}") as caught:
        backfill_days(installation, PLAN.first, TODAY)
    assert caught.value.found == f"{PLAN.days[1]}..{PLAN.days[1]}, {TODAY}..{TODAY}"


def test_yesterday_may_be_run_while_its_logs_are_on_their_way() -> None:
    asked = {"today": TODAY, "known_first": None}
    require_days_that_can_run([PLAN.last], landed=[], **asked)
    with pytest.raises(SettingsError, match="expected: days up to"):
        require_days_that_can_run(PLAN.days, landed=[PLAN.first], **asked)


def test_an_earlier_backfill_whose_runs_have_ended_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = FakeApi({DAYS[0]: "success"}, backfilling=True)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        api.backfilling = len(slept) < 3

    monkeypatch.setattr(refresh.time, "sleep", sleep)
    refresh.wait_for_ended_backfill(api)
    assert len(slept) == 3


def test_an_earlier_backfill_with_runs_left_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api = FakeApi({DAYS[0]: "running"}, backfilling=True)
    monkeypatch.setattr(refresh.time, "sleep", lambda _: pytest.fail("waits for an active run"))
    refresh.wait_for_ended_backfill(api)
