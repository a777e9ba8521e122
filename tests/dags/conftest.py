"""The deployment that the DAGs see in tests; set before anything of Airflow is imported."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    "AIRFLOW_HOME": tempfile.mkdtemp(prefix="grove-airflow-"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "True",
    "AIRFLOW_CONN_SPARK_DEFAULT": (
        '{"conn_type": "spark", "host": "local[2]", "extra": {"deploy-mode": "client"}}'
    ),
    "GROVE_HOME": "/srv/grove",
    "GROVE_SETTINGS": "/srv/grove/settings.yaml",
    "GROVE_REPOSITORY": "/opt/grove",
    "GROVE_JOBS_PYTHON": "/opt/grove/.venv/jobs/bin/python",
    "GROVE_SPARK_SUBMIT": "/opt/grove/.venv/jobs/bin/spark-submit",
    "GROVE_SPARK_JARS": "/opt/jars/delta-spark.jar,/opt/jars/delta-storage.jar",
    "GROVE_DRIVER_MEMORY_GIB": "4",
    "GROVE_SIMULATED": "yes",
}
for name in [name for name in os.environ if name.startswith("GROVE_")]:
    del os.environ[name]
os.environ.update(ENVIRONMENT)
sys.path[:0] = [str(REPOSITORY / folder) for folder in ("dags", "libs", "tests/dags")]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="record the commands; read the diff after it"
    )
