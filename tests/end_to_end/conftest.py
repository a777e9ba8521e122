"""A tiny shop whose days run through a real Airflow on a free port of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from tests.end_to_end.damage import drop_column, garble_lines
from tests.free_port import free_port

from grove.datasets import Layout
from grove.settings import Settings, load_settings
from infra.local.airflow_api import DAG, AirflowApi, wait_for_airflow
from infra.local.components import start_airflow, stop_airflow
from infra.local.days_to_run import DaysToRun
from infra.local.installation import Installation, airflow_environment
from infra.local.refresh import prepare_data
from infra.local.settings_file import ENVIRONMENTS

FIRST_DAY = date(2026, 8, 10)
DAYS = tuple(date(2026, 8, 18) + timedelta(days=offset) for offset in range(3))
GARBLED, REFUSED, NEXT = DAYS


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A shop under test: its Airflow, its settings, and where its files are."""

    installation: Installation
    settings: Settings
    api: AirflowApi

    @property
    def layout(self) -> Layout:
        """Every path below the home."""
        return Layout(self.settings.home)


def write_tiny_settings(home: Path) -> Path:
    """Settings of the tiny environment below a home of its own."""
    values = yaml.safe_load((ENVIRONMENTS / "tiny.yaml").read_text(encoding="utf-8"))
    values["home"] = str(home)
    values["source"]["first_day"] = FIRST_DAY
    file = home / "settings.yaml"
    file.write_text(yaml.safe_dump(values), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Eight days of history, and three days to run: one garbled, one broken, one good."""
    home = tmp_path_factory.mktemp("shop")
    installation = Installation(home=home, port=free_port())
    settings = load_settings(write_tiny_settings(home))
    plan = DaysToRun(history_first=FIRST_DAY, first=DAYS[0], last=DAYS[-1], ended=True)
    prepare_data(installation, settings, plan)
    layout = Layout(settings.home)
    garble_lines(layout, GARBLED, share=0.1)
    drop_column(layout, REFUSED, column="user_id")
    start_airflow(installation, airflow_environment(installation, settings, last_day=None))
    try:
        api = wait_for_airflow(installation)
        api.make_pool("spark", 1)
        api.backfill(DAYS[0], DAYS[-1], again="failed")
        api.unpause(DAG)
        yield Shop(installation=installation, settings=settings, api=api)
    finally:
        stop_airflow(installation)
