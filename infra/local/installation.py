"""Installation of one source on this machine: folders, secrets, and Airflow's environment."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from grove.errors import DataError
from grove.runtime.files import read_json, write_text
from grove.runtime.spark_session import driver_memory_gib
from grove.settings import Settings
from grove.sources import source_kind
from infra.local.class_archive import shared_classes
from infra.local.jars import JARS, jars_folder
from infra.local.toolchain import (
    JAVA_HOME,
    JOBS_PYTHON,
    QUICK_START,
    REPOSITORY,
    SPARK_SUBMIT,
)

LOGIN = "admin"
HOST = "127.0.0.1"
"""The only address on which Airflow listens."""
DEFAULT_PORT = "8080"
PORT_FILE = "port"
DAYS_FILE = "days"


@dataclass(frozen=True, kw_only=True)
class Installation:
    """Home of one source on this machine, and the port of its UI."""

    home: Path
    port: int

    @property
    def settings_file(self) -> Path:
        """Settings file of every job of this source."""
        return self.home / "settings.yaml"

    @property
    def airflow_home(self) -> Path:
        """Airflow's database, logs, secrets and pid files."""
        return self.home / "airflow"

    @property
    def secrets_file(self) -> Path:
        """Password and keys of this installation; readable by its owner only."""
        return self.airflow_home / "secrets.json"

    @property
    def address(self) -> str:
        """Address of the UI."""
        return f"http://{HOST}:{self.port}"


def remembered_port(home: Path) -> str:
    """Port of the last start of a source's Airflow; 8080 before the first start."""
    file = home / "airflow" / PORT_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else DEFAULT_PORT


def remember_port(installation: Installation) -> None:
    """Store the port, so that later commands find this Airflow without `PORT=`."""
    write_text(str(installation.airflow_home / PORT_FILE), f"{installation.port}\n")


def remembered_days(installation: Installation) -> str | None:
    """Last `DAYS=` of a source that has ended, as typed."""
    file = installation.home / DAYS_FILE
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def remember_days(installation: Installation, days: str) -> None:
    """Store `DAYS=`, so that a `make run` without it continues with the same days."""
    write_text(str(installation.home / DAYS_FILE), f"{days}\n")


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Secrets that are generated once per installation."""

    password: str
    jwt_secret: str
    fernet_key: str


def read_secrets(installation: Installation) -> Secrets:
    """Secrets of an installation; generated on the first call."""
    if not installation.secrets_file.is_file():
        values = {
            "password": secrets.token_urlsafe(12),
            "jwt_secret": secrets.token_urlsafe(64),
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        _write_private(installation.secrets_file, values)
    found = Secrets(**read_json(installation.secrets_file))
    _write_private(passwords_file(installation), {LOGIN: found.password})
    return found


def passwords_file(installation: Installation) -> Path:
    """File from which Airflow's own login reads the password."""
    return installation.airflow_home / "passwords.json"


def _write_private(file: Path, values: dict[str, str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(values, out)
    file.chmod(0o600)


def airflow_environment(
    installation: Installation, settings: Settings, *, last_day: date | None
) -> dict[str, str]:
    """Environment variables of Airflow's components, besides those of this process.

    Args:
        installation: whose Airflow it is.
        settings: settings of the source.
        last_day: last day of a source that has ended.

    Returns:
        Variables by name.
    """
    return {
        **_airflow_variables(installation, settings.spark.master),
        **_grove_variables(installation, settings, last_day),
        **QUICK_START,
        **shared_classes(),
        "JAVA_HOME": str(JAVA_HOME),
        "PYTHONPATH": f"{REPOSITORY / 'libs'}:{REPOSITORY / 'dags'}",
    }


def _airflow_variables(installation: Installation, master: str) -> dict[str, str]:
    found = read_secrets(installation)
    connection = {"conn_type": "spark", "host": master, "extra": {"deploy-mode": "client"}}
    return {
        "AIRFLOW_HOME": str(installation.airflow_home),
        "AIRFLOW_CONN_SPARK_DEFAULT": json.dumps(connection),
        "AIRFLOW__API__BASE_URL": installation.address,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(installation.port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API_AUTH__JWT_SECRET": found.jwt_secret,
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{installation.address}/execution/",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__FERNET_KEY": found.fernet_key,
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "infra" / "airflow_plugins"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords_file(installation)),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin",
        # DAG files change only when the installation is updated, and parsing them costs seconds.
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "120",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "60",
        # A day has about thirty steps, each of which waits for the scheduler's next loop.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.4",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _grove_variables(
    installation: Installation, settings: Settings, last_day: date | None
) -> dict[str, str]:
    jars = ",".join(str(jars_folder() / name) for name in JARS)
    return {
        "GROVE_HOME": settings.home,
        "GROVE_SETTINGS": str(installation.settings_file),
        "GROVE_REPOSITORY": str(REPOSITORY),
        "GROVE_JOBS_PYTHON": str(JOBS_PYTHON),
        "GROVE_SPARK_SUBMIT": str(SPARK_SUBMIT),
        "GROVE_JARS": str(jars_folder()),
        "GROVE_SPARK_JARS": jars,
        "GROVE_DRIVER_MEMORY_GIB": str(driver_memory_gib(settings.spark)),
        "GROVE_FEEDS": ",".join(settings.source.feeds),
        "GROVE_FIRST_DAY": str(settings.source.first_day or ""),
        "GROVE_LAST_DAY": str(last_day or ""),
        "GROVE_LANDING_HOURS": str(settings.source.landing_wait_hours),
        "GROVE_SIMULATED": "yes" if source_kind(settings.source.name).has_size else "no",
        "GROVE_DEADLINE_HOURS": str(settings.notices.deadline_hours),
        "GROVE_WEBHOOK": settings.notices.webhook or "",
    }


def password(installation: Installation) -> str:
    """Password of the login `admin`.

    Raises:
        DataError: Airflow was never started here.
    """
    if not installation.secrets_file.is_file():
        raise _never_run(installation, installation.secrets_file)
    return read_secrets(installation).password


def require_settings(installation: Installation) -> Path:
    """Settings file of a source that has run here.

    Raises:
        DataError: it has not.
    """
    if not installation.settings_file.is_file():
        raise _never_run(installation, installation.settings_file)
    return installation.settings_file


def _never_run(installation: Installation, expected: Path) -> DataError:
    return DataError(
        "this source has never run here",
        where=str(installation.home),
        expected=expected.name,
        found="nothing",
        next_step="run `make run` first, or name another source with SOURCE=",
    )
