"""Every environment file loads, holds values only, and is one that somebody uses."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from grove.errors import SettingsError
from grove.settings import load_settings
from grove.settings.load import parse_settings
from infra.local.settings_file import TEMPLATES

FOLDER = Path(__file__).resolve().parents[2] / "infra" / "environments"
FILES = sorted(FOLDER.glob("*.yaml"))


def test_the_environments_are_these() -> None:
    names = {file.name for file in FILES}
    sources = {"local.yaml", "online-retail.yaml", "amazon-reviews.yaml"}
    assert names == sources | {"production.yaml", "tiny.yaml"}
    assert set(TEMPLATES.values()) == sources


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_environment_loads(file: Path) -> None:
    assert load_settings(file).home


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_unknown_key_is_named(file: Path) -> None:
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    values["spark"] = {**values.get("spark", {}), "colour": "green"}
    with pytest.raises(SettingsError, match=r"spark\.colour"):
        parse_settings(values, where=file.name)
