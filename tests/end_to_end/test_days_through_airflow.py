"""Three days through Airflow: one with garbled rows, a rejected one, and the one after it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.end_to_end.conftest import GARBLED, NEXT, REFUSED, Shop

from grove.datasets import CODES, INTERACTIONS, QUARANTINE, USER_EMBEDDINGS
from grove.errors import DataError
from grove.release import current_release, verify_release
from grove.runtime.files import read_json
from grove.runtime.tables import partition_days, read_arrow
from infra.local.progress import ended_runs, watch_days

pytestmark = [pytest.mark.spark, pytest.mark.airflow, pytest.mark.slow]


def wait_for(shop: Shop, *days: date, ignored: frozenset[str] = frozenset()) -> None:
    watch_days(shop.api, shop.layout, days, ignored=ignored)


def verdict_of(shop: Shop, day: date, dataset: str) -> dict[str, dict[str, object]]:
    verdict = read_json(shop.layout.verdict(day, "ingest_landing", dataset))
    return {result["name"]: result for result in verdict["results"]}


def task_states(shop: Shop, day: date) -> dict[str, str]:
    run = next(run for run in shop.api.runs() if run["partition_key"] == str(day))
    return {task["task_id"]: task["state"] for task in shop.api.tasks(run["dag_run_id"])}


def test_garbled_rows_are_quarantined_and_the_day_is_published(shop: Shop) -> None:
    wait_for(shop, GARBLED)
    rows = read_arrow(shop.layout, QUARANTINE, day=GARBLED, feed="events").to_pylist()
    report = read_json(shop.layout.report(GARBLED, "ingest_landing"))
    garbled = [row for row in rows if row["reason"] == "malformed"]
    assert 0.08 <= len(garbled) / report["rows"]["in"] <= 0.12
    result = verdict_of(shop, GARBLED, "interactions")["quarantined_share_warn"]
    assert (result["severity"], result["passed"]) == ("warn", False)
    assert set(task_states(shop, GARBLED).values()) == {"success"}
    assert current_release(shop.layout.current_pointer()) == f"{GARBLED}.1"


def test_a_missing_column_fails_the_day_and_the_old_release_serves_on(shop: Shop) -> None:
    with pytest.raises(DataError, match="user_id"):
        wait_for(shop, REFUSED)
    states = task_states(shop, REFUSED)
    assert states["ingest_landing"] == "failed"
    assert states["release.publish_release"] == "upstream_failed"
    assert REFUSED not in partition_days(shop.layout, INTERACTIONS)
    served = current_release(shop.layout.current_pointer())
    assert served == f"{GARBLED}.1"
    verify_release(Path(shop.layout.releases()) / served)


def test_the_next_day_runs_and_names_the_gap(shop: Shop) -> None:
    wait_for(shop, NEXT)
    assert set(task_states(shop, NEXT).values()) == {"success"}
    for stage in ("ingest_landing", "build_histories"):
        assert read_json(shop.layout.report(NEXT, stage))["gaps"] == [str(REFUSED)]
    plan = read_json(shop.layout.report(NEXT, "plan_day"))["notes"]
    assert (plan["kind"], plan["previous_release"]) == ("ordinary", f"{GARBLED}.1")
    assert current_release(shop.layout.current_pointer()) == f"{NEXT}.1"


def test_a_day_run_twice_gives_the_same_rows_and_a_release_of_equal_content(shop: Shop) -> None:
    tables = (INTERACTIONS, CODES, USER_EMBEDDINGS)
    before = [
        sorted(map(str, read_arrow(shop.layout, one, day=NEXT).to_pylist())) for one in tables
    ]
    ignored = ended_runs(shop.api)
    shop.api.trigger(NEXT, {})
    wait_for(shop, NEXT, ignored=ignored)
    after = [sorted(map(str, read_arrow(shop.layout, one, day=NEXT).to_pylist())) for one in tables]
    assert all(before)
    assert after == before
    releases = Path(shop.layout.releases())
    first, second = (verify_release(releases / f"{NEXT}.{attempt}") for attempt in (1, 2))
    differing = {
        name for name in first.files if first.files[name].sha256 != second.files[name].sha256
    }
    assert second.content == first.content, f"these files differ: {sorted(differing)}"
