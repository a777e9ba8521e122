from __future__ import annotations

import json
import re
import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from grove.errors import DataError
from grove.settings.load import parse_settings
from infra.local.installation import (
    Installation,
    airflow_environment,
    password,
    passwords_file,
    read_secrets,
    remember_port,
    remembered_port,
    require_settings,
)
from infra.local.toolchain import REPOSITORY


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(home=tmp_path / "shop", port=8123)


def environment(
    installation: Installation, last_day: date | None = None, **sections: Any
) -> dict[str, str]:
    settings = parse_settings({"home": str(installation.home), **sections}, where="test")
    return airflow_environment(installation, settings, last_day=last_day)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


@pytest.mark.parametrize(
    ("source", "data", "simulated"),
    [
        ("marketplace", None, "yes"),
        ("marketplace", "/data/unused", "yes"),
        ("online-retail", None, "no"),
        ("amazon-reviews", "/data/reviews", "no"),
    ],
)
def test_a_shop_is_simulated_as_its_source_declares(
    installation: Installation, source: str, data: str | None, simulated: str
) -> None:
    """A source with a fixed location has no `data`, and is not simulated."""
    found = environment(installation, source={"name": source, "data": data})
    assert found["GROVE_SIMULATED"] == simulated


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
    variables = environment(installation, spark={"master": "local[7]"})
    connection = json.loads(variables["AIRFLOW_CONN_SPARK_DEFAULT"])
    assert connection["host"] == "local[7]"


def test_the_first_day_of_the_source_is_set(installation: Installation) -> None:
    assert environment(installation)["GROVE_FIRST_DAY"] == ""
    variables = environment(installation, source={"first_day": date(2010, 12, 1)})
    assert variables["GROVE_FIRST_DAY"] == "2010-12-01"


def test_the_table_of_variables_marks_those_that_make_run_sets(installation: Installation) -> None:
    text = (REPOSITORY / "infra/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+) \| (✓?) ?\|", text, re.M)
    marks = {name: mark == "✓" for names, mark in rows for name in re.findall(r"`(\w+)`", names)}
    assert marks
    ours = {name for name in environment(installation) if name.startswith(("GROVE_", "AIRFLOW_C"))}
    assert {name for name, is_set in marks.items() if is_set} == ours


def test_commands_that_need_an_earlier_run_report_it(installation: Installation) -> None:
    with pytest.raises(DataError, match=r"expected: settings\.yaml"):
        require_settings(installation)
    installation.settings_file.parent.mkdir(parents=True)
    installation.settings_file.touch()
    assert require_settings(installation) == installation.settings_file


def test_a_source_that_has_ended_names_its_last_day(installation: Installation) -> None:
    assert environment(installation)["GROVE_LAST_DAY"] == ""
    ended = environment(installation, date(2011, 11, 7))
    assert ended["GROVE_LAST_DAY"] == "2011-11-07"


def test_a_port_is_remembered_for_the_commands_that_follow(tmp_path: Path) -> None:
    assert remembered_port(tmp_path) == "8080"
    remember_port(Installation(home=tmp_path, port=8090))
    assert remembered_port(tmp_path) == "8090"
