"""Jobs outside Airflow: their command line and environment, and the error if they fail."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from grove.datasets import LAUNCHER_VARIABLE
from grove.errors import InfrastructureError
from grove.settings import Settings
from infra.local import jobs
from infra.local.toolchain import QUICK_START

WRITE_ENVIRONMENT = "import json, os; print(json.dumps(dict(os.environ)))"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "ingest_landing.log"


def run_as_job(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Have every job be a few lines of Python."""
    script = [sys.executable, "-c", code]
    monkeypatch.setattr(jobs, "SPARK_SUBMIT", script[0])
    call = jobs._call
    monkeypatch.setattr(jobs, "_call", lambda _, *rest, **named: call(script, *rest, **named))


def test_a_job_with_minutes_of_work_may_compile_well(
    tmp_path: Path, settings: Settings, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in QUICK_START:
        monkeypatch.delenv(name, raising=False)
    run_as_job(monkeypatch, WRITE_ENVIRONMENT)
    jobs.run_plain("ingest_landing", tmp_path / "settings.yaml")
    assert all(name in log.read_text() for name in QUICK_START)
    jobs.run_spark("ingest_landing", tmp_path / "settings.yaml", settings)
    assert not any(name in log.read_text() for name in QUICK_START)
    assert f'"{LAUNCHER_VARIABLE}": "{os.getpid()}"' in log.read_text()


def test_the_error_of_a_failed_job_repeats_its_last_lines(
    tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_as_job(monkeypatch, "import sys; sys.exit('no such mug')")
    with pytest.raises(InfrastructureError, match="ingest_landing failed") as failed:
        jobs.run_plain("ingest_landing", tmp_path / "settings.yaml")
    assert "exit code 1" in failed.value.found
    assert str(log) in failed.value.found
    assert "no such mug" in failed.value.found


def test_output_of_a_job_that_prints_to_the_terminal_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    script = [sys.executable, "-c", "import sys; print('no such user'); sys.exit(65)"]
    monkeypatch.setattr(jobs, "_plain", lambda *_: script)
    with pytest.raises(SystemExit) as ended:
        jobs.show_plain("recommend", tmp_path / "settings.yaml")
    assert ended.value.code == 65
    assert capfd.readouterr().out == "no such user\n"


def test_an_interrupted_command_ends_its_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, log: Path
) -> None:
    """The waiting command is interrupted; the job must not run beside the next one."""
    run_as_job(monkeypatch, "import os, time; print(os.getpid(), flush=True); time.sleep(60)")

    def interrupt(_: str) -> None:
        if log.is_file() and log.read_text().strip():
            raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "show_running", interrupt)
    with pytest.raises(KeyboardInterrupt):
        jobs.run_plain("ingest_landing", tmp_path / "settings.yaml")
    with pytest.raises(ProcessLookupError):
        os.kill(int(log.read_text()), 0)
