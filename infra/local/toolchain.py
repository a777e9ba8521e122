"""Where set-up puts what it makes, and the one way to run a command during set-up.

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
"""Link to the Java that Spark uses, whoever installed it."""
QUICK_START = {
    "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ReservedCodeCacheSize=240m"
}
"""A driver of one machine lives for seconds: compiling its code well costs more than that saves.
Ingesting a day of 36,000 events took 34 instead of 53 seconds of processor time.

With one compiler alone Java reserves 48 MiB for code, which Spark fills within a minute; from then
on Java throws compiled code away as it goes. 240 MiB is what it reserves for both compilers."""


@dataclass(frozen=True)
class Step:
    """What one step of set-up has to say, and whether it changed anything."""

    said: str
    new: bool


def run(command: Sequence[str | Path], *, purpose: str, **environment: str) -> str:
    """Run a command to its end and return its output.

    Args:
        command: program and arguments.
        purpose: what the command is for; it opens the error message.
        **environment: variables set on top of the current ones.

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
    """Fingerprint of some files' bytes, in the order given."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
