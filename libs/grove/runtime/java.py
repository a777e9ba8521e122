"""Checks before Spark starts: Java and Delta's jars, with a clear error if one is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from grove.errors import InfrastructureError

JARS_VARIABLE = "GROVE_JARS"
DELTA_JARS = ("delta-spark_4.1_2.13-4.4.0.jar", "delta-storage-4.4.0.jar")


def require_java() -> None:
    """Raise an error with a next step if there is no Java.

    Raises:
        InfrastructureError: there is no `java` in `JAVA_HOME` or on the path.
    """
    # Under spark-submit a JVM is already running and waits for this process.
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return
    if not home and shutil.which("java"):
        return
    raise InfrastructureError(
        "no Java to run Spark on",
        where=f"JAVA_HOME={home or 'unset'}, and `java` on the path",
        expected="Java 17 or 21",
        found="none",
        next_step="run `make setup`, which provides one, or install a Java 17 runtime",
    )


def delta_jars() -> tuple[str, ...]:
    """Paths of Delta's two jars, in `GROVE_JARS` or the cache folder.

    Raises:
        InfrastructureError: one of them is missing.
    """
    cache = Path.home() / ".cache" / "grove" / "jars"
    folder = Path(os.environ.get(JARS_VARIABLE, str(cache)))
    missing = [name for name in DELTA_JARS if not (folder / name).is_file()]
    if missing:
        raise InfrastructureError(
            "Delta's jars are missing",
            where=str(folder),
            expected=", ".join(DELTA_JARS),
            found=f"no {', '.join(missing)}",
            next_step=f"run `make setup`, or set {JARS_VARIABLE} to a folder with both jars",
        )
    return tuple(str(folder / name) for name in DELTA_JARS)
