"""Every environment file loads and belongs to a source, a deployment or the tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from grove.errors import SettingsError
from grove.settings import load_settings
from grove.settings.load import parse_settings
from grove.sources import source_names
from infra.local.settings_file import known_sources

FOLDER = Path(__file__).resolve().parents[2] / "infra" / "environments"
FILES = sorted(FOLDER.glob("*.yaml"))


def test_every_source_has_an_environment_of_its_name() -> None:
    assert known_sources() == source_names()
    assert {file.stem for file in FILES} == {*source_names(), "production", "tiny"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_environment_loads(file: Path) -> None:
    assert load_settings(file).home


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_unknown_key_is_named(file: Path) -> None:
    values = yaml.safe_load(file.read_text(encoding="utf-8"))
    values["spark"] = {**values.get("spark", {}), "colour": "green"}
    with pytest.raises(SettingsError, match=r"spark\.colour"):
        parse_settings(values, where=file.name)
