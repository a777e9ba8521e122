"""Shared fixtures: a small Spark session, a home with empty tables, and a day."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from infra.local.toolchain import QUICK_START

# The Airflow environment has neither Spark nor pydantic, and collects its tests through this file.
if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from grove.datasets import Layout
    from grove.settings import Settings

# The same environment has no hypothesis.
if find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    # The duration of an example depends on the load of the machine, so it is no error.
    settings.register_profile(
        "any machine", None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("any machine")

REAL_DATA_VARIABLE = "GROVE_REAL_DATA"
REPOSITORY = Path(__file__).resolve().parents[1]
SPARK = {
    "master": "local[2]",
    # Each broadcast of a join on a 64-bit key holds a 1 MB array until its plan is released. G1
    # gives each array two regions: with a heap of 1 GiB, most time went to full collections.
    "driver_memory_gib": 2,
    "shuffle_partitions": 4,
    "conf": {"spark.driver.extraJavaOptions": QUICK_START["JDK_JAVA_OPTIONS"]},
}


@pytest.fixture
def day() -> date:
    """The day that tests process."""
    return date(2026, 8, 20)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """One Spark session for all tests; the jobs under test reuse it and leave it running."""
    from grove.runtime.spark_session import open_session
    from grove.settings.load import parse_settings
    from infra.local.class_archive import shared_classes

    os.environ.update(shared_classes())
    home = str(tmp_path_factory.mktemp("spark"))
    session = open_session(
        "grove.tests", parse_settings({"home": home, "spark": SPARK}, where="tests/conftest.py")
    )
    yield session
    session.stop()


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """A settings file whose home is a temporary folder; its Spark section is the session's."""
    file = tmp_path / "settings.yaml"
    file.write_text(yaml.safe_dump({"home": str(tmp_path / "home"), "spark": SPARK}))
    return file


@pytest.fixture
def settings(settings_file: Path) -> Settings:
    """The settings of `settings_file`."""
    from grove.settings import load_settings

    return load_settings(settings_file)


@pytest.fixture
def layout(settings: Settings) -> Layout:
    """Layout of the test's home, in which every table exists and is empty."""
    from grove.datasets import Layout
    from grove.runtime.tables import create_tables

    layout = Layout(settings.home)
    create_tables(layout)
    return layout


@pytest.fixture
def arguments(settings_file: Path, layout: Layout, day: date) -> Callable[..., Namespace]:
    """Factory of a job's arguments; `arguments(attempt=2)` adds arguments of that job."""

    def make(**more: object) -> Namespace:
        given = {"day": day, "settings": str(settings_file), "run_id": "test"} | more
        return Namespace(**{"days": (given["day"],)} | given)

    return make


@pytest.fixture(scope="session")
def real_data_folder() -> Path:
    """Folder of the real data sets; without it the test is skipped, with the reason."""
    beside = REPOSITORY.parent / "shared" / "data"
    folder = Path(os.environ.get(REAL_DATA_VARIABLE, str(beside)))
    if not folder.is_dir():
        pytest.skip(
            f"needs a folder of real data sets: set {REAL_DATA_VARIABLE}, or put it beside the "
            f"checkout as shared/data (looked in {folder})"
        )
    return folder
