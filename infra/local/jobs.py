"""Run jobs outside Airflow: those before its first run, and those of commands."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from grove.datasets import LAUNCHER_VARIABLE
from grove.errors import InfrastructureError
from grove.plain_text import visible
from grove.runtime.clock import Stopwatch
from grove.runtime.spark_session import driver_memory_gib
from grove.settings import Settings
from infra.local.class_archive import shared_classes
from infra.local.jars import JARS, jars_folder
from infra.local.progress import show_running
from infra.local.toolchain import (
    JAVA_HOME,
    JOBS_PYTHON,
    QUICK_START,
    REPOSITORY,
    SPARK_SUBMIT,
)

SHOWN_LINES = 20
"""Number of last output lines of a failed job that the error repeats."""


def show_plain(job: str, settings_file: Path, *arguments: str) -> None:
    """Run a job that needs no Spark and prints to the terminal.

    Raises:
        SystemExit: the job failed and has printed the reason; with its exit code.
    """
    command = _plain(job, settings_file, *arguments)
    exit_code = subprocess.run(command, env=job_environment(), check=False).returncode
    if exit_code:
        raise SystemExit(exit_code)


def run_plain(job: str, settings_file: Path, *arguments: str) -> None:
    """Run a job that needs no Spark; its output goes to a log file beside the settings.

    Raises:
        InfrastructureError: the job failed; its last lines are in the message.
    """
    _call(_plain(job, settings_file, *arguments), job, settings_file.parent)


def run_step(job: str, settings_file: Path, *arguments: str) -> None:
    """Run a job quietly; where it fails, only its error is shown, without the log before it.

    Raises:
        SystemExit: the job failed; with its exit code.
    """
    show_running(f"{job} …")
    command = _plain(job, settings_file, *arguments)
    ended = subprocess.run(
        command,
        env=job_environment(),
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    show_running("")
    if ended.returncode:
        _, _, reason = ended.stderr.rpartition(" ERROR ")
        print(f"\n{visible(reason or ended.stderr, keep=chr(10))}", file=sys.stderr)
        raise SystemExit(ended.returncode)


def run_spark(job: str, settings_file: Path, settings: Settings, *arguments: str) -> None:
    """Submit a job of several minutes to Spark; see `run_plain`.

    Its JVM uses both compilers, unlike those of a day's jobs, which are too short to profit:
    a history of one month took half the time.
    """
    jars = ",".join(str(jars_folder() / name) for name in JARS)
    command = [
        *(str(SPARK_SUBMIT), "--master", settings.spark.master, "--jars", jars),
        *("--driver-memory", f"{driver_memory_gib(settings.spark)}g", "--name", f"grove.{job}"),
        *(_file(job), "--settings", str(settings_file), *arguments),
    ]
    _call(command, job, settings_file.parent, quick_start=False)


def _plain(job: str, settings_file: Path, *arguments: str) -> list[str]:
    return [str(JOBS_PYTHON), _file(job), "--settings", str(settings_file), *arguments]


def _file(job: str) -> str:
    return str(REPOSITORY / "jobs" / f"{job}.py")


def job_environment(*, quick_start: bool = True) -> dict[str, str]:
    """Environment variables of every job, on top of those of this process.

    Args:
        quick_start: whether a JVM should start fast rather than reach its highest speed.
    """
    return {
        **os.environ,
        **(QUICK_START if quick_start else {}),
        **shared_classes(),
        LAUNCHER_VARIABLE: str(os.getpid()),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "JAVA_HOME": str(JAVA_HOME),
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYSPARK_PYTHON": str(JOBS_PYTHON),
        "PYSPARK_DRIVER_PYTHON": str(JOBS_PYTHON),
        "PYTHONPATH": str(REPOSITORY / "libs"),
    }


def _call(command: list[str], job: str, home: Path, *, quick_start: bool = True) -> None:
    environment = job_environment(quick_start=quick_start)
    log = home / "logs" / f"{job}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)
        exit_code = _wait(process, f"{job}, log {log}")
    if exit_code:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-SHOWN_LINES:]
        raise _failure(job, command, exit_code, "\n".join([str(log), *lines]))


def _wait(process: subprocess.Popen[bytes], label: str) -> int:
    """Wait for a job and show the elapsed time; end the job if this process is interrupted."""
    watch = Stopwatch()
    try:
        while process.poll() is None:
            show_running(f"{watch.seconds():5.0f} s  {label}")
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
    finally:
        # Has no effect on a process that has ended.
        process.kill()
        exit_code = process.wait()
        show_running("")
    return exit_code


def _failure(job: str, command: list[str], exit_code: int, output: str) -> InfrastructureError:
    return InfrastructureError(
        f"{job} failed",
        where=" ".join(command),
        expected="exit code 0",
        found=f"exit code {exit_code}; {output}",
        next_step="fix what it reports, then repeat the command",
    )
