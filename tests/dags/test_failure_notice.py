"""A failed or late run writes a file and calls the webhook, if one is set."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from grove.datasets import Layout
from orchestration import failure_notice
from orchestration.failure_notice import report_failure, report_late_run


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    layout = Layout(str(tmp_path))
    here = SimpleNamespace(layout=layout, webhook="http://127.0.0.1:9/", deadline_hours=6.0)
    monkeypatch.setattr(failure_notice, "deployment", lambda: here)
    return layout


def read_only_notice(layout: Layout) -> dict[str, object]:
    (file,) = Path(layout.notices()).glob("*.json")
    return json.loads(file.read_text(encoding="utf-8"))


def fail(task: str, error: Exception) -> None:
    ti = SimpleNamespace(dag_id="daily_refresh", task_id=task, run_id="manual__1", log_url="log")
    run = SimpleNamespace(partition_key="2026-08-20")
    report_failure({"ti": ti, "dag_run": run, "exception": error})


@pytest.mark.parametrize(
    ("task", "error", "advice"),
    [
        ("dssm.check_item_vectors", AirflowFailException, "a failed check is a data problem"),
        ("ingest_landing", AirflowFailException, "exit code 65 is a data problem"),
        ("dssm.train_dssm", AirflowException, "code or cluster problem"),
    ],
)
def test_a_notice_states_what_failed_why_and_the_next_step(
    layout: Layout, task: str, error: type[Exception], advice: str
) -> None:
    fail(task, error("no rows"))
    notice = read_only_notice(layout)
    assert notice["day"] == "2026-08-20"
    assert notice["task"] == task
    assert notice["reason"] == "no rows"
    assert notice["log"] == "log"
    assert advice in str(notice["on_call"])


def test_a_notice_is_whole_or_absent(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    replace = Path.replace

    def look_and_replace(beside: Path, target: Path) -> Path:
        seen.append([file.name for file in target.parent.glob("*.json")])
        assert json.loads(beside.read_text(encoding="utf-8"))["reason"] == "no rows"
        return replace(beside, target)

    monkeypatch.setattr(Path, "replace", look_and_replace)
    fail("ingest_landing", AirflowFailException("no rows"))
    assert seen == [[]]
    assert [file.suffix for file in Path(layout.notices()).iterdir()] == [".json"]


def test_a_late_run_is_reported(layout: Layout) -> None:
    run = {"dag_id": "daily_refresh", "dag_run_id": "manual__1", "partition_key": "2026-08-20"}
    report_late_run({"dag_run": run})
    notice = read_only_notice(layout)
    assert (notice["kind"], notice["run_id"]) == ("late", "manual__1")
    assert "6 hours" in str(notice["reason"])


def test_a_webhook_that_does_not_answer_costs_only_a_warning(
    layout: Layout, caplog: pytest.LogCaptureFixture
) -> None:
    report_late_run({"dag_run": {}})
    assert "webhook delivery failed" in caplog.text


@pytest.mark.parametrize(
    "run_id",
    ["r" * 250, "é" * 250, "../../etc/passwd", "a\x00b", "{a,b}*.?", "\x1b]8;;x", "<b>\ud800"],
)
def test_a_notice_of_any_run_id_is_one_file_of_the_folder(layout: Layout, run_id: str) -> None:
    ti = SimpleNamespace(dag_id="daily_refresh", task_id="t", run_id=run_id, log_url="log")
    run = SimpleNamespace(partition_key="2026-08-20")
    report_failure({"ti": ti, "dag_run": run, "exception": ValueError(run_id)})
    notice = read_only_notice(layout)
    assert notice["run_id"] == notice["reason"] == run_id


def test_long_run_ids_that_differ_at_the_end_have_notices_of_their_own(layout: Layout) -> None:
    for end in "ab":
        run = {"dag_id": "daily_refresh", "partition_key": "2026-08-20", "run_id": "r" * 249 + end}
        report_late_run({"dag_run": run})
    assert len(list(Path(layout.notices()).glob("*.json"))) == 2
