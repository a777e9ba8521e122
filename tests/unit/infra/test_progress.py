from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from grove.datasets import Layout
from grove.errors import DataError, InfrastructureError
from grove.plain_text import visible
from grove.runtime.files import write_json
from infra.local import progress
from infra.local.outcome import metric_table, rows_table, time_table
from infra.local.progress import ended_runs, newest_runs, stage_line, watch_days

DAY = date(2026, 8, 20)


def task(task_id: str, state: str | None, **values: Any) -> dict[str, Any]:
    return {
        "task_id": task_id,
        "state": state,
        "operator_name": "SparkJobOperator",
        "duration": 12.34,
        "start_date": "2026-08-21T00:00:01Z",
        "end_date": "2026-08-21T00:00:13Z",
        **values,
    }


def run(run_id: str, day: str, state: str, queued: str = "1") -> dict[str, Any]:
    return {"dag_run_id": run_id, "partition_key": day, "state": state, "queued_at": queued}


class FakeApi:
    """Airflow that reports one state after the other."""

    def __init__(self, *looks: tuple[list[dict[str, Any]], list[dict[str, Any]]]) -> None:
        self.looks = list(looks)

    def runs(self) -> list[dict[str, Any]]:
        self.now = self.looks.pop(0)
        return self.now[0]

    def tasks(self, _: str) -> list[dict[str, Any]]:
        return self.now[1]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(progress, "POLL_SECONDS", 0)
    return Layout(str(tmp_path))


def test_a_line_names_the_stage_its_rows_and_seconds(layout: Layout) -> None:
    report = {"rows": {"out": 12345}, "seconds": {"session": 5.0, "work": 6.0}}
    write_json(layout.report(DAY, "train_stars.update"), report)
    line = stage_line(layout, str(DAY), task("update.stars.train_stars", "success"))
    assert line.split() == [
        *("2026-08-20", "train_stars.update", "done", "12,345", "rows", "12.3", "s"),
    ]


def test_each_stage_is_shown_once_and_the_day_ends(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    done = task("ingest_landing", "success")
    api = FakeApi(
        ([run("a", str(DAY), "running")], [done]),
        ([run("a", str(DAY), "running")], [done, task("plan_day", "running")]),
        ([run("a", str(DAY), "success")], [done, task("plan_day", "success")]),
    )
    watch_days(api, layout, [DAY], ignored=frozenset())
    lines = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["2026-08-20", "ingest_landing"],
        ["2026-08-20", "plan_day"],
        ["2026-08-20", "published"],
    ]


def test_a_closed_day_is_reported_as_closed(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [task("ingest_landing", "success"), task("plan_day", "skipped")]
    watch_days(
        FakeApi(([run("a", str(DAY), "success")], tasks)), layout, [DAY], ignored=frozenset()
    )
    assert "closed, nothing to do" in capsys.readouterr().out


def test_a_failed_day_raises_with_the_reason_of_its_notice(layout: Layout) -> None:
    write_json(f"{layout.notices()}/n.json", {"run_id": "a", "reason": "no rows on an open day"})
    api = FakeApi(([run("a", str(DAY), "failed")], [task("ingest_landing", "failed")]))
    with pytest.raises(DataError, match="no rows on an open day"):
        watch_days(api, layout, [DAY], ignored=frozenset())


def test_a_day_without_a_run_is_not_waited_for(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "ABSENT_SECONDS", -1.0)
    api = FakeApi(*[([run("old", str(DAY), "failed")], [])] * 2)
    with pytest.raises(InfrastructureError, match="no run exists for 2026-08-20"):
        watch_days(api, layout, [DAY], ignored=ended_runs(api))


def test_the_cause_of_a_wait_is_printed_once_if_nothing_runs(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sensors = [
        task("wait_for_earlier_days", "success"),
        task("wait_for_landing", "up_for_reschedule"),
    ]
    look = ([run("a", str(DAY), "running")], sensors)
    not_yet = ([run("a", str(DAY), "running")], [task("wait_for_landing", None)])
    given_up = ([run("b", str(DAY), "running")], [task("wait_for_landing", "skipped")])
    end = ([run("a", str(DAY), "success")], [])
    watch_days(FakeApi(look, end), layout, [DAY], ignored=frozenset())
    assert "waits for" not in capsys.readouterr().out  # not after so short a time
    monkeypatch.setattr(progress, "WAITING_SECONDS", 0.0)
    watch_days(FakeApi(not_yet, given_up, look, look, end), layout, [DAY], ignored=frozenset())
    lines = [line for line in capsys.readouterr().out.splitlines() if "waits for" in line]
    assert len(lines) == 1
    assert "2026-08-20 waits for its logs, which have not landed" in lines[0]


class SlowLooks:
    """A stopwatch by which every poll of Airflow takes twenty seconds."""

    now = 0.0

    def __init__(self) -> None:
        self.started = SlowLooks.now

    def seconds(self) -> float:
        return SlowLooks.now - self.started


def test_nothing_is_printed_while_another_day_is_running(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tomorrow = DAY + timedelta(days=1)
    runs = [run("a", str(DAY), "running"), run("b", str(tomorrow), "running")]
    tasks = {"b": [task("wait_for_earlier_days", "up_for_reschedule")]}
    api = FakeApi()

    def look() -> list[dict[str, Any]]:
        SlowLooks.now += 20
        return api.looks.pop(0)

    monkeypatch.setattr(progress, "Stopwatch", SlowLooks)
    monkeypatch.setattr(api, "runs", look)
    monkeypatch.setattr(api, "tasks", lambda name: tasks[name])
    for first, said in (("running", False), ("queued", True)):
        tasks["a"] = [task("train_dssm", first)]
        api.looks = [runs, runs, runs, [one | {"state": "success"} for one in runs]]
        watch_days(api, layout, [DAY, tomorrow], ignored=frozenset())
        assert ("waits for" in capsys.readouterr().out) is said


def test_a_run_may_take_a_while_to_appear(
    layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    api = FakeApi(([], []), ([run("a", str(DAY), "success")], []))
    watch_days(api, layout, [DAY], ignored=frozenset())
    assert api.looks == [], "both polls took place"
    assert capsys.readouterr().out.splitlines() == ["2026-08-20  published"]


def test_the_newest_run_of_a_day_counts() -> None:
    runs = [
        run("old", str(DAY), "failed", "1"),
        run("new", str(DAY), "running", "2"),
        run("other", "2026-08-19", "running", "3"),
    ]
    found = newest_runs(runs, {str(DAY)}, frozenset())
    assert [one["dag_run_id"] for one in found] == ["new"]
    assert newest_runs(runs, {str(DAY)}, frozenset({"old", "new"})) == []


def test_times_are_split_into_the_parts_of_the_report_and_the_rest(layout: Layout) -> None:
    seconds = {"start": 0.5, "session": 4.0, "gate": 0.5, "work": 6.0}
    report = {"status": "committed", "rows": {"out": 1}, "seconds": seconds, "run_id": "night"}
    write_json(layout.report(DAY, "ingest_landing"), report)
    ended = task("ingest_landing", "success", day=str(DAY), duration=12.0, dag_run_id="night")
    assert time_table(layout, [ended])[1].split() == [
        *("ingest_landing", "12.0", "0.5", "4.0", "0.5", "6.0", "1.0"),
    ]
    repeated_since = ended | {"dag_run_id": "earlier", "duration": 7.0}
    assert time_table(layout, [repeated_since])[1:] == []


def test_models_are_listed_best_first() -> None:
    rows = [
        figure(model, "hit_rate", 50, value)
        for model, value in (("popularity", 0.1), ("fused", 0.4), ("oracle", 0.6))
    ]
    table = metric_table(rows)
    assert table[0] == "all positives of the day, 12 users"
    assert [line.split()[0] for line in table[1:-1]] == ["model", "oracle", "fused", "popularity"]


def test_a_segment_of_the_positives_has_a_table_if_a_user_has_one() -> None:
    rows = [
        figure("fused", "hit_rate", 10, 0.25, segment="new_items"),
        figure("fused", "hit_rate", 50, 0.5, segment="new_items"),
        figure("fused", "hit_rate", 100, 0.75, segment="new_items"),
        figure("fused", "hit_rate", 50, 0.0, segment="repurchases", support=0),
    ]
    table = metric_table(rows, segment="new_items", meaning="new")
    assert [line.split() for line in table[1:-1]] == [
        ["model", "hit_rate@10", "hit_rate@50"],
        ["fused", "0.2500", "0.5000"],
    ]
    assert metric_table(rows, segment="repurchases") == []
    assert metric_table(rows) == []


def figure(
    model: str, metric: str, cutoff: int, value: float, *, segment: str = "all", support: int = 12
) -> dict[str, Any]:
    row = {"model": model, "metric": metric, "cutoff": cutoff, "segment": segment}
    return row | {"value": value, "support": support}


def test_rows_of_a_day_are_counted_by_where_they_ended(layout: Layout) -> None:
    counts = {"landed": 1010, "accepted": 1000, "duplicates": 4, "quarantined": {"malformed": 6}}
    written = {"status": "committed", "rows": {"out": 1}, "notes": {"feeds": {"events": counts}}}
    write_json(layout.report(DAY, "ingest_landing"), written)
    saturday = DAY + timedelta(days=1)
    closed = {"status": "closed", "rows": {"out": 0}, "notes": {"reason": "no trade on Saturdays"}}
    write_json(layout.report(saturday, "ingest_landing"), closed)
    table = rows_table(layout, [DAY, saturday, saturday + timedelta(days=1)])
    assert [line.split() for line in table] == [
        ["day", "feed", "landed", "accepted", "duplicates", "quarantined"],
        [str(DAY), "events", "1,010", "1,000", "4", "6"],
        [str(saturday), "closed:", "no", "trade", "on", "Saturdays"],
    ]


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\u202egum", "\x1b]8;;http://x\x07", "[/b]", "{a,b}*.?"]
)
def test_names_and_reasons_send_the_terminal_no_control_sequence(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(str(tmp_path))
    values = {"status": "closed", "rows": {"in": 0, "out": 0, "rejected": 0}, "seconds": {}}
    report = values | {"stage": "ingest_landing", "day": str(DAY), "notes": {"reason": text}}
    write_json(layout.report(DAY, "ingest_landing"), report)
    assert rows_table(layout, [DAY])[1:] == [f"{DAY!s:<12}closed: {visible(text)}"]
    progress.say(f"{text} waits\nfor its logs")
    assert capsys.readouterr().out == f"grove: {visible(text)} waits\nfor its logs\n"
