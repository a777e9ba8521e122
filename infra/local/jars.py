"""The two Delta jars of Spark: downloaded once by Spark's own resolver, verified, and cached."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import tempfile
from pathlib import Path

from grove.errors import InfrastructureError
from grove.runtime.java import DELTA_JARS, JARS_VARIABLE
from infra.local.java import brings_its_own_runtime
from infra.local.toolchain import (
    AIRFLOW_PYTHON,
    JAVA_HOME,
    JOBS_PYTHON,
    SPARK_SUBMIT,
    Step,
    run,
)

PACKAGE = "io.delta:delta-spark_4.1_2.13:4.4.0"
CHECKSUMS = (
    "75a9400986853c061f5109f012547de2545a5759e5e752e5ef633dabe16a4f10",
    "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
)
JARS = dict(zip(DELTA_JARS, CHECKSUMS, strict=True))
"""File name and sha256; jobs look for these names."""

NOT_NEEDED = "org.*:*,com.*:*,dev.*:*,io.unitycatalog:*,io.delta:delta-kernel*"
"""Packages that PySpark includes or Grove does not use; without this 33 jars are downloaded."""


def jars_folder() -> Path:
    """Folder of the jars: GROVE_JARS, or a cache shared by every checkout; jobs look there too."""
    return Path(os.environ.get(JARS_VARIABLE) or Path.home() / ".cache" / "grove" / "jars")


def prepare_jars() -> Step:
    """Download the jars, unless the expected files exist.

    Returns:
        The step, with their folder.

    Raises:
        InfrastructureError: a jar could not be downloaded, or is not the expected file.
    """
    folder = jars_folder()
    if all(_checksum(folder / name) == expected for name, expected in JARS.items()):
        return Step(f"Delta jars in {folder}", new=False)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="fetch-") as scratch:
        _resolve(Path(scratch))
        for name, expected in JARS.items():
            _accept(Path(scratch) / "jars" / f"io.delta_{name}", folder / name, expected)
    return Step(f"Delta jars downloaded to {folder}", new=True)


def _resolve(scratch: Path) -> None:
    nothing = scratch / "nothing.py"
    nothing.touch()
    run(
        [
            *(SPARK_SUBMIT, "--master", "local[1]", "--packages", PACKAGE),
            *("--exclude-packages", NOT_NEEDED, "--conf", f"spark.jars.ivy={scratch}", nothing),
        ],
        purpose="download the Delta jars",
        JAVA_HOME=str(JAVA_HOME),
        PYSPARK_PYTHON=str(JOBS_PYTHON),
        SPARK_SUBMIT_OPTS=_trust(scratch),
    )


def _trust(scratch: Path) -> str:
    authorities = ssl.get_default_verify_paths().cafile
    if not (authorities and brings_its_own_runtime()):
        return os.environ.get("SPARK_SUBMIT_OPTS", "")
    store = scratch / "authorities.p12"
    run(
        [AIRFLOW_PYTHON, "-m", "infra.local.trust", authorities, store],
        purpose="copy Python's trusted authorities for Java",
    )
    return f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=changeit"


def _accept(fetched: Path, target: Path, expected: str) -> None:
    found = _checksum(fetched)
    if found != expected:
        raise InfrastructureError(
            "a Delta jar is not the expected file",
            where=target.name,
            expected=f"sha256 {expected}",
            found=f"sha256 {found}" if found else "no such file among the downloaded ones",
            next_step=f"check the repository that Spark resolves from, or copy the jar to {target}",
        )
    shutil.move(fetched, target)


def _checksum(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
