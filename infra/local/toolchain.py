"""Paths of the set-up, and the function that runs its commands.

Standard library only: these modules run before any environment exists.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grove.errors import InfrastructureError

REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPOSITORY / "infra" / "requirements"
ENVIRONMENTS = REPOSITORY / ".venv"
JOBS_PYTHON = ENVIRONMENTS / "jobs" / "bin" / "python"
AIRFLOW_PYTHON = ENVIRONMENTS / "airflow" / "bin" / "python"
SPARK_SUBMIT = ENVIRONMENTS / "jobs" / "bin" / "spark-submit"
JAVA_HOME = ENVIRONMENTS / "java-home"
"""Link to the Java that Spark uses."""
QUICK_START = {
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"
}
"""Options of a short-lived JVM: the optimising compiler costs more time than it saves.
Ingesting a day of 36,000 events took 34 instead of 53 seconds of CPU time.

With one compiler Java reserves a code cache of 48 MiB, which Spark fills within a minute; then
Java discards compiled code. 240 MiB is its default for both compilers."""


@dataclass(frozen=True)
class Step:
    """One step of the set-up: its message, and whether it changed anything."""

    said: str
    new: bool


def run(command: Sequence[str | Path], *, purpose: str, **environment: str) -> str:
    """Run a command to its end and return its output.

    Args:
        command: program and arguments.
        purpose: purpose of the command, for the error message.
        **environment: variables added to the current ones.

    Returns:
        Standard output and error, as one text.

    Raises:
        InfrastructureError: the command failed; its last lines are in the message.
    """
    result = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise InfrastructureError(
            f"could not {purpose}",
            where=" ".join(str(part) for part in command),
            expected="exit code 0",
            found=f"exit code {result.returncode}: " + "\n".join(result.stdout.splitlines()[-15:]),
            next_step="check the network and the free disk space, then run `make setup` again",
        )
    return result.stdout


def digest(*files: Path) -> str:
    """Fingerprint of the contents of some files, in the given order."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
