"""Every task's command line is a file, so that a change of argument or memory is seen in review.

After an intended change: `pytest tests/dags --update-golden`, then read the diff.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from rendered import command, job_tasks

from grove.datasets import PASSES, SYSTEMS

GOLDEN = Path(__file__).parent / "golden"
TASKS = job_tasks()


def as_text(words: list[str]) -> str:
    """One option per line."""
    text = ""
    for word in words:
        starts_line = word.startswith("--") or not text or word.endswith(".py")
        text += ("\n" if text else "") + word if starts_line else f" {word}"
    return text + "\n"


@pytest.mark.parametrize("name", sorted(TASKS))
def test_command_is_the_recorded_one(name: str, request: pytest.FixtureRequest) -> None:
    file = GOLDEN / f"{name}.txt"
    found = as_text(command(TASKS[name]))
    if request.config.getoption("--update-golden"):
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_task() -> None:
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(TASKS)


def test_every_job_of_a_system_runs_in_both_passes() -> None:
    for system in SYSTEMS:
        jobs = [name for name in TASKS if name.endswith(f".{system.job}")]
        assert len(jobs) == len(PASSES), f"{system.name}: {jobs}"


@pytest.mark.parametrize(
    ("task", "params", "flag"),
    [
        ("daily_refresh.plan_day", {"retrain": True}, "--retrain"),
        ("daily_refresh.release.publish_release", {"make_current": True}, "--make-current"),
    ],
)
def test_a_parameter_becomes_a_flag(task: str, params: dict[str, bool], flag: str) -> None:
    assert flag in command(TASKS[task], **params)
    assert flag not in command(TASKS[task])
    assert "" not in command(TASKS[task])
