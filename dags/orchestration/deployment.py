"""Folders, programs and limits of this installation, read once from the environment.

Imported while Airflow parses DAGs, so it stays cheap: standard library, `grove.datasets`,
`grove.day` and `grove.errors` only. `infra/local` sets these variables on one machine; on a cluster
the image does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from grove.datasets import FEEDS, Layout
from grove.day import FORM, parse_day
from grove.errors import SettingsError

REQUIRED = (
    "GROVE_HOME",
    "GROVE_SETTINGS",
    "GROVE_REPOSITORY",
    "GROVE_JOBS_PYTHON",
    "GROVE_SPARK_SUBMIT",
)

_EARLIEST = date(2000, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One installation: its folders, programs and limits."""

    home: str
    """Folder of the source's data."""
    settings: str
    """Settings file every job reads."""
    repository: str
    """Checkout that holds `jobs` and `libs`."""
    jobs_python: str
    """Python of the jobs environment."""
    spark_submit: str
    """Absolute path of spark-submit in the jobs environment."""
    spark_jars: str
    """Jars on the class path of every Spark application, separated by commas."""
    driver_memory_gib: int | None
    """Memory of a driver in GiB; none for Spark's default."""
    feeds: tuple[str, ...]
    """Feeds that the source declares."""
    first_day: date
    """No day before this one is scheduled."""
    last_day: date | None
    """Last day of a source that has ended."""
    simulated: bool
    """Whether the source is a simulator, which `demo_collector` lands."""
    landing_hours: float
    """Time that a run waits for its day to land."""
    deadline_hours: float
    """A run later than this is reported."""
    webhook: str | None
    """Address that receives notices as JSON."""

    @property
    def layout(self) -> Layout:
        """Paths in the home."""
        return Layout(self.home)

    @property
    def libraries(self) -> str:
        """Folder on the import path of every job."""
        return f"{self.repository}/libs"

    def job(self, name: str) -> str:
        """File of a job."""
        return f"{self.repository}/jobs/{name}.py"


def read_deployment(environment: Mapping[str, str]) -> Deployment:
    """Read a deployment from environment variables.

    Args:
        environment: variables by name; those in `REQUIRED` must be set.

    Returns:
        The deployment.

    Raises:
        SettingsError: required variables are missing; the message names all of them.
    """
    missing = [name for name in REQUIRED if not environment.get(name)]
    if missing:
        raise SettingsError(
            "the environment lacks variables of Grove",
            where="the environment of Airflow's scheduler, DAG processor and workers",
            expected=", ".join(REQUIRED),
            found=f"without {', '.join(missing)}",
            next_step="start Airflow with `make run`, or set the variables in its image",
        )
    memory = environment.get("GROVE_DRIVER_MEMORY_GIB")
    return Deployment(
        home=environment["GROVE_HOME"],
        settings=environment["GROVE_SETTINGS"],
        repository=environment["GROVE_REPOSITORY"],
        jobs_python=environment["GROVE_JOBS_PYTHON"],
        spark_submit=environment["GROVE_SPARK_SUBMIT"],
        spark_jars=environment.get("GROVE_SPARK_JARS", ""),
        driver_memory_gib=int(memory) if memory else None,
        feeds=tuple(environment.get("GROVE_FEEDS", ",".join(FEEDS)).split(",")),
        first_day=_read_day(environment, "GROVE_FIRST_DAY") or _EARLIEST,
        last_day=_read_day(environment, "GROVE_LAST_DAY"),
        simulated=environment.get("GROVE_SIMULATED") == "yes",
        landing_hours=float(environment.get("GROVE_LANDING_HOURS", "6")),
        deadline_hours=float(environment.get("GROVE_DEADLINE_HOURS", "6")),
        webhook=environment.get("GROVE_WEBHOOK") or None,
    )


def _read_day(environment: Mapping[str, str], name: str) -> date | None:
    text = environment.get(name)
    try:
        return parse_day(text) if text else None
    except ValueError as error:
        raise SettingsError(
            "a variable of the environment is not a day",
            where=name,
            expected=FORM,
            found=repr(text),
            next_step="start Airflow with `make run`, or correct the variable in its image",
        ) from error


@cache
def deployment() -> Deployment:
    """The deployment of this process."""
    return read_deployment(os.environ)
