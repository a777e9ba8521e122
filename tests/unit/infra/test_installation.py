from __future__ import annotations

import json
import stat
from datetime import date
from pathlib import Path

import pytest

from grove.errors import DataError
from grove.settings.load import parse_settings
from infra.local.installation import (
    Installation,
    airflow_environment,
    password,
    passwords_file,
    read_secrets,
)


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(home=tmp_path / "shop", port=8123)


def environment(installation: Installation, last_day: date | None = None) -> dict[str, str]:
    settings = parse_settings({"home": str(installation.home)}, where="test")
    return airflow_environment(installation, settings, last_day=last_day)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_secrets_are_made_once_and_only_their_owner_reads_them(installation: Installation) -> None:
    first = read_secrets(installation)
    assert read_secrets(installation) == first
    assert len(first.password) >= 16
    assert len(first.jwt_secret) >= 64
    assert mode(installation.secrets_file) == 0o600
    assert mode(passwords_file(installation)) == 0o600
    assert json.loads(passwords_file(installation).read_text()) == {"admin": first.password}


def test_two_installations_have_different_passwords(tmp_path: Path) -> None:
    passwords = {read_secrets(Installation(home=tmp_path / name, port=1)).password for name in "ab"}
    assert len(passwords) == 2


def test_a_source_that_never_ran_has_no_password(installation: Installation) -> None:
    with pytest.raises(DataError, match="run `make run` first"):
        password(installation)


def test_the_ui_listens_on_this_machine_only(installation: Installation) -> None:
    variables = environment(installation)
    assert variables["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert variables["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:8123"
    assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:8123/")


def test_spark_has_an_explicit_connection(installation: Installation) -> None:
    connection = json.loads(environment(installation)["AIRFLOW_CONN_SPARK_DEFAULT"])
    assert connection["host"].startswith("local[")


def test_a_source_that_has_ended_names_its_last_day(installation: Installation) -> None:
    assert environment(installation)["GROVE_LAST_DAY"] == ""
    ended = environment(installation, date(2011, 11, 7))
    assert ended["GROVE_LAST_DAY"] == "2011-11-07"
