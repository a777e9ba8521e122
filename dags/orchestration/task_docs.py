"""Documentation of a task in Airflow's UI: which files run it, and which hold its checks.

Paths are relative to the repository. Read from the jobs' own import lines, so that a page of
the UI cannot name a module that is gone.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from grove.datasets import DATASETS
from orchestration.deployment import deployment

STAGE_IMPORT = re.compile(r"^from grove\.stages\.(\w+) import", re.M)


@cache
def files_of(job: str) -> tuple[str, ...]:
    """The job's file, and the modules of `grove.stages` that it calls.

    Example:
        >>> files_of("build_trees")
        ('jobs/build_trees.py', 'libs/grove/stages/build_trees.py')
    """
    modules = STAGE_IMPORT.findall(_source_of(job))
    return (f"jobs/{job}.py", *(f"libs/grove/stages/{module}.py" for module in modules))


def stage_doc(job: str) -> str:
    """Markdown for the task that runs a job: its purpose and its files."""
    text = _source_of(job)
    title = text.removeprefix('"""').partition("\n")[0].removesuffix('"""')
    return f"{title}\n\nCode: {_listed(files_of(job))}"


def gate_doc(dataset: str, stage: str) -> str:
    """Markdown for a gate: whose verdict it reads, and which files hold the checks.

    Args:
        dataset: what was checked.
        stage: stage that checked it; see `grove.datasets.stage_name`.
    """
    files = files_of(stage.partition(".")[0])
    if dataset in DATASETS:
        files = (f"schemas/{DATASETS[dataset].contract_file}", *files)
    return (
        f"Reads the verdict of the stage `{stage}` on `{dataset}`. Fails if a check of severity "
        f"`fail` failed.\n\nChecks: {_listed(files)}"
    )


def _source_of(job: str) -> str:
    """Text of a job's file; empty where DAGs are parsed without the jobs beside them."""
    beside = Path(__file__).resolve().parents[2] / "jobs" / f"{job}.py"
    files = [file for file in (Path(deployment().job(job)), beside) if file.is_file()]
    return files[0].read_text(encoding="utf-8") if files else ""


def _listed(files: tuple[str, ...]) -> str:
    return ", ".join(f"`{file}`" for file in files)
