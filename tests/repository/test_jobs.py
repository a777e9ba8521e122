"""A job is a docstring, `parse_arguments`, `run` and a guard; its stage has the same name."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grove.datasets import SYSTEMS
from grove.release import STAGES

REPOSITORY = Path(__file__).resolve().parents[2]
JOBS = sorted((REPOSITORY / "jobs").glob("*.py"))
MOST_LINES = 60
"""Most lines of code of a job; imports, docstrings and blank lines left out."""
LAUNCHED_BY_AIRFLOW = {
    file.stem.rpartition(".")[2] for file in (REPOSITORY / "tests/dags/golden").glob("*.txt")
}


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def test_every_job_airflow_launches_exists() -> None:
    of_the_day = {name.partition(".")[0] for name in STAGES} | {one.job for one in SYSTEMS}
    assert of_the_day < LAUNCHED_BY_AIRFLOW
    assert {job.stem for job in JOBS} >= LAUNCHED_BY_AIRFLOW


def test_every_job_has_a_stage_of_its_name_and_calls_it() -> None:
    for job in JOBS:
        stage = REPOSITORY / "libs/grove/stages" / job.name
        assert stage.is_file(), f"{job.name} has no {stage}"
        functions = {node.name for node in tree_of(stage).body if isinstance(node, ast.FunctionDef)}
        assert job.stem in functions, f"{stage.name} has no function {job.stem}"
        imported = f"from grove.stages.{job.stem} import {job.stem}"
        assert imported in job.read_text(encoding="utf-8"), f"{job.name} does not call its stage"


KEY_OF_A_REPORT = re.compile(r"""(\[|\.get\()["'](notes|versions|artifact)["']""")
READS_REPORTS = {"libs/grove/runtime/reports.py", "dags/orchestration/days.py"}
"""The one reader, and an Airflow task, which imports only `grove.datasets`, `day` and `errors`."""


def test_keys_of_a_report_are_read_in_one_place() -> None:
    files = [
        file
        for folder in ("libs", "jobs", "infra", "dags")
        for file in (REPOSITORY / folder).rglob("*.py")
    ]
    readers = {
        str(file.relative_to(REPOSITORY))
        for file in files
        if KEY_OF_A_REPORT.search(file.read_text(encoding="utf-8"))
    }
    assert readers <= READS_REPORTS


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_docstring_states_reads_writes_fails_and_the_command(job: Path) -> None:
    doc = ast.get_docstring(tree_of(job)) or ""
    lines = doc.splitlines()
    for word in ("Reads   ", "Writes  ", "Fails   "):
        assert any(line.startswith(word) for line in lines), f"{job.name}: no line {word.strip()}"
    assert f"jobs/{job.name}" in doc, f"{job.name}: no command to paste"
    assert lines[0].endswith("."), f"{job.name}: the first line is not a sentence"


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_parts_come_in_order(job: Path) -> None:
    tree = tree_of(job)
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert names[:2] == ["parse_arguments", "run"], f"{job.name}: has {names}"
    guard = tree.body[-1]
    assert isinstance(guard, ast.If), f"{job.name}: no guard at the end"
    assert ast.unparse(guard.test) == "__name__ == '__main__'"


def code_lines(job: Path) -> int:
    """Lines that are no import, docstring or blank."""
    text = job.read_text(encoding="utf-8").splitlines()
    counted: set[int] = set()
    left_out: set[int] = set()
    for node in ast.walk(tree_of(job)):
        if isinstance(node, ast.FunctionDef | ast.Assign | ast.AnnAssign | ast.If):
            counted |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(1 for line in counted - left_out if text[line - 1].strip())


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_a_job_is_short(job: Path) -> None:
    lines = code_lines(job)
    assert lines <= MOST_LINES, f"{job.name} has {lines} lines of code: compute in libs/grove"


HELP = """
import io, json, runpy, sys
from contextlib import redirect_stdout
answers = {}
for job in sys.argv[1:]:
    sys.argv = [job, "--help"]
    with redirect_stdout(io.StringIO()) as shown:
        try:
            runpy.run_path(job, run_name="__main__")
        except SystemExit as end:
            answers[job] = (end.code, shown.getvalue())
print(json.dumps(answers))
"""
"""Asks every job for help as the command line does; one process, so torch is imported once."""


@pytest.fixture(scope="module")
def answers() -> dict[str, tuple[int, str]]:
    found = subprocess.run(
        [sys.executable, "-c", HELP, *map(str, JOBS)],
        env={"PYTHONPATH": str(REPOSITORY / "libs"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.stem)
def test_help_explains_the_job(job: Path, answers: dict[str, tuple[int, str]]) -> None:
    code, shown = answers[str(job)]
    assert code == 0
    first = (ast.get_docstring(tree_of(job)) or "").partition("\n\n")[0]
    assert "".join(first.split()) in "".join(shown.split())
    assert "--settings" in shown
