"""House rules of every DAG; a failure names the DAG and the rule."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import timedelta

import jinja2
import pytest
from airflow.sdk import CronPartitionTimetable
from rendered import DAG_IDS, dag_bag, dag_of

from conftest import ENVIRONMENT, REPOSITORY
from grove.datasets import DATASETS, INGESTED, PASSES, SYSTEMS, stage_name
from grove.errors import DATA_EXIT_CODE

TAGS = {"grove", "recall", "tier-1", "demo", "maintenance"}
HEAVY = ("pyspark", "torch", "numpy", "pandas")
RECORDS = {"metrics", "quality_results", "stage_reports"}
"""Written by every stage; only `metrics` has a gate of its own."""


def test_no_dag_fails_to_import() -> None:
    assert dag_bag().import_errors == {}


def test_dag_ids_are_the_listed_ones() -> None:
    assert set(dag_bag().dags) == set(DAG_IDS)


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_house_rules(dag_id: str) -> None:
    dag = dag_of(dag_id)
    assert dag.doc_md and "**On call.**" in dag.doc_md
    assert dag.template_undefined is jinja2.StrictUndefined
    assert isinstance(dag.timetable, CronPartitionTimetable)
    assert dag.catchup is False
    assert dag.max_active_runs >= 1
    assert dag.dagrun_timeout is not None
    assert set(dag.tags) <= TAGS
    assert "grove" in dag.tags


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_every_task_has_an_owner_and_a_number_of_retries(dag_id: str) -> None:
    for task in dag_of(dag_id).tasks:
        assert task.owner == "recall-team", f"{dag_id}.{task.task_id} has no owner"
        # Bad data is never retried: what finds it raises AirflowFailException.
        assert task.retries == 2, f"{dag_id}.{task.task_id} has {task.retries} retries"
        assert task.on_failure_callback, f"{dag_id}.{task.task_id} fails without a notice"


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_first_task_rejects_a_run_without_a_day(dag_id: str) -> None:
    (root,) = dag_of(dag_id).roots
    assert root.task_id == "require_day"


def test_the_day_is_the_partition_key_of_the_night_that_ended_it() -> None:
    timetable = dag_of("daily_refresh").timetable
    assert (timetable.run_offset, timetable.key_format) == (-1, "%Y-%m-%d")


def test_daily_refresh_is_reported_when_it_is_late() -> None:
    (deadline,) = dag_of("daily_refresh").deadline
    assert deadline.interval == timedelta(hours=6)
    assert deadline.callback.path == "orchestration.failure_notice.report_late_run"


def test_parameters_are_described() -> None:
    params = dag_of("daily_refresh").params
    assert set(params) == {"retrain", "make_current"}
    assert all(params.get_param(name).description for name in params)


@pytest.mark.parametrize(
    "dataset",
    [dataset for name, dataset in DATASETS.items() if name not in RECORDS],
    ids=lambda dataset: dataset.name,
)
def test_every_dataset_has_a_gate_after_its_writer(dataset) -> None:
    dag = dag_of("daily_refresh")
    for job in dataset.written_by:
        writers = [task for task in dag.tasks if task.task_id.rpartition(".")[2] == job]
        assert writers, f"nothing in daily_refresh runs {job}"
        for writer in writers:
            gates = [task for task in next_tasks(writer) if is_gate(task, dataset.name)]
            assert gates, f"{writer.task_id} writes {dataset.name} and no gate follows at once"
            assert gates[0].stage == writer.stage, f"{gates[0].task_id} checks another stage"


def next_tasks(task) -> list:
    """Tasks right after a task; the switch that ends a closed day does nothing to a dataset."""
    following = [task.dag.get_task(task_id) for task_id in sorted(task.downstream_task_ids)]
    return [
        later
        for one in following
        for later in (next_tasks(one) if one.task_id == "is_open" else [one])
    ]


def is_gate(task, dataset: str) -> bool:
    return task.task_id.endswith(f".check_{dataset}")


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_dag_file_only_wires(dag_id: str) -> None:
    lines = (REPOSITORY / "dags" / f"{dag_id}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 120, f"{dag_id}.py has {len(lines)} lines: move what computes aside"


def test_only_retention_may_run_for_today() -> None:
    may = {dag_id: dag_of(dag_id).get_task("require_day").op_kwargs for dag_id in DAG_IDS}
    assert may == {"daily_refresh": {}, "demo_collector": {}, "retention": {"may_be_today": True}}


def test_the_runbook_distinguishes_rejected_input_from_a_code_problem() -> None:
    doc = " ".join(dag_of("daily_refresh").doc_md.split())
    data, _, code = doc.partition("Any other red task")
    assert f"exit code {DATA_EXIT_CODE}" in data
    assert "code or cluster problem" in code


def gates_of_the_day() -> list:
    return [task for task in dag_of("daily_refresh").tasks if ".check_" in task.task_id]


def test_every_stage_that_writes_a_dataset_has_its_gates() -> None:
    """One gate per ingested table, per pass of a system, and per other stage."""
    passes = [stage_name(system.job, one) for system in SYSTEMS for one in PASSES]
    once = (
        *("embed_texts", "build_histories", "build_trees", "evaluate_models", "infer_users"),
        *("retrieve_candidates", "build_index", "publish_release"),
    )
    ingested = [f"check_{dataset.name}" for dataset in INGESTED]
    found = [(task.stage, task.task_id.rpartition(".")[2]) for task in gates_of_the_day()]
    assert sorted(gate for stage, gate in found if stage == "ingest_landing") == sorted(ingested)
    others = [stage for stage, _ in found if stage != "ingest_landing"]
    assert sorted(others) == sorted([*once, *passes])


FILES = re.compile(r"`((?:jobs|schemas|libs)/[^`]+)`")


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_a_stage_and_a_gate_name_the_files_behind_them(dag_id: str) -> None:
    documented = [task for task in dag_of(dag_id).tasks if hasattr(task, "stage")]
    assert documented
    for task in documented:
        files = FILES.findall(task.doc_md or "")
        assert f"jobs/{task.stage.partition('.')[0]}.py" in files, f"{task.task_id}: {task.doc_md}"
        for file in files:
            assert (REPOSITORY / file).is_file(), f"{task.task_id} names {file}"


def test_the_gate_of_the_codes_names_module_and_contract() -> None:
    doc = dag_of("daily_refresh").get_task("trees.check_codes").doc_md
    assert "`schemas/codes.v1.yaml`" in doc
    assert "`libs/grove/stages/build_trees.py`" in doc


def test_every_gate_reports_its_asset() -> None:
    gates = gates_of_the_day()
    assert gates
    for gate in gates:
        (asset,) = gate.outlets
        assert asset.name == "grove." + gate.task_id.rpartition(".check_")[2]


def test_publishing_comes_after_every_gate() -> None:
    dag = dag_of("daily_refresh")
    before = dag.get_task("release.publish_release").get_flat_relative_ids(upstream=True)
    gates = {task.task_id for task in dag.tasks if ".check_" in task.task_id}
    assert gates - before == {"release.check_release"}


def test_the_source_gives_the_start_date() -> None:
    code = "from orchestration.house import house_rules\nprint(house_rules()['start_date'])"
    for empty in ({}, {"GROVE_FIRST_DAY": ""}):
        assert run_python(code, **empty).endswith("2000-01-01 00:00:00+00:00")
    assert run_python(code, GROVE_FIRST_DAY="2010-12-01").endswith("2010-12-01 00:00:00+00:00")


def test_a_source_that_has_ended_gives_an_end_date() -> None:
    code = "from orchestration.house import house_rules\nprint(house_rules()['end_date'])"
    assert run_python(code).endswith("None")
    assert run_python(code, GROVE_LAST_DAY="2011-11-07").endswith("2011-11-08 00:00:00+00:00")


@pytest.mark.parametrize("name", ["GROVE_FIRST_DAY", "GROVE_LAST_DAY"])
def test_another_spelling_of_a_day_is_named(name: str) -> None:
    code = (
        "import os; from orchestration.deployment import read_deployment as read\nread(os.environ)"
    )
    assert f"where:    {name}" in run_python(code, **{name: "2011-1-7"})


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_parsing_loads_nothing_heavy(dag_id: str) -> None:
    code = f"import sys, {dag_id}\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    assert run_python(code).endswith("[]")


def test_parsing_without_a_deployment_names_what_is_missing() -> None:
    answer = run_python("import daily_refresh", GROVE_HOME="", GROVE_SETTINGS="")
    assert "without GROVE_HOME, GROVE_SETTINGS" in answer


def run_python(code: str, **environment: str) -> str:
    path = f"{REPOSITORY / 'dags'}:{REPOSITORY / 'libs'}"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**ENVIRONMENT, "PATH": "/usr/bin:/bin", "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return (result.stdout + result.stderr).strip()
