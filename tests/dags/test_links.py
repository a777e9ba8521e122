"""Every job and gate leads to its report and to the page of its day."""

from __future__ import annotations

from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from rendered import DAY, context, dag_of

from orchestration.links import DayLink, ReportLink, page, page_path

PLACES = {
    "ingest_landing": "ingest_landing",
    "plan_day": "plan_day",
    "update.stars.train_stars": "train_stars.update",
    "update.stars.check_item_vectors": "train_stars.update",
    "ingested.check_items": "ingest_landing",
}


@pytest.mark.parametrize(("task_id", "stage"), PLACES.items())
def test_links_of_a_task(task_id: str, stage: str) -> None:
    task = dag_of("daily_refresh").get_task(task_id).prepare_for_execution()
    task.render_template_fields(context())
    links = {link.name: link.get_link(task, ti_key=None) for link in task.operator_extra_links}
    assert links["Report"].endswith(f"/grove/files/reports/{DAY}/{stage}.json")
    assert links["Day"].endswith(f"/grove/days/{DAY}")


def test_pages_keep_the_path_under_which_airflow_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://host.example/airflow/")
    assert page("days") == "https://host.example/airflow/grove/days"
    assert page_path("runs/{DAG_ID}/{RUN_ID}") == "/airflow/grove/runs/{DAG_ID}/{RUN_ID}"


@pytest.mark.parametrize("key", ["../../x", "a?b#c", "<b>", "a b", "%2e%2e"])
def test_a_key_that_is_no_day_stays_one_part_of_the_address(key: str) -> None:
    operator = SimpleNamespace(day=key, stage="ingest_landing")
    for link, before in ((DayLink(), "/grove/days/"), (ReportLink(), "/grove/files/reports/")):
        part = link.get_link(operator, ti_key=None).partition(before)[2].partition("/")[0]
        assert unquote(part) == key
        assert not set(part) & set("?#<> ")
