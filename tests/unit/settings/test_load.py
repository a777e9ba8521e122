"""A settings file is read whole, or everything wrong with it is said at once."""

from __future__ import annotations

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from grove.errors import DATA_EXIT_CODE, SettingsError
from grove.settings import Settings, load_settings, sections
from grove.settings.sections import Section


@pytest.fixture
def written(tmp_path):
    def write(values):
        file = tmp_path / "settings.yaml"
        file.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
        return file

    return write


def test_the_home_alone_is_enough(written):
    settings = load_settings(written({"home": "/data/shop"}))
    assert settings.home == "/data/shop"
    assert settings.source.name == "marketplace"
    assert settings.histories.max_events == 50


def test_every_problem_is_in_one_message(written):
    wrong = {
        "colour": "red",
        "trees": {"leaf_capacity": 1, "shape": "round"},
        "texts": {"max_tokens": "many"},
    }
    with pytest.raises(SettingsError) as caught:
        load_settings(written(wrong))
    message = str(caught.value)
    assert "5 settings are wrong" in message
    for key in ("home", "colour", "trees.leaf_capacity", "trees.shape", "texts.max_tokens"):
        assert f"{key}: " in message
    assert caught.value.exit_code == DATA_EXIT_CODE


@pytest.mark.parametrize("text", ["- a list", "just words", "home: [", ""])
def test_a_file_that_is_no_mapping_is_refused(written, text):
    with pytest.raises(SettingsError, match="settings are not"):
        load_settings(written(text))


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(SettingsError, match="make run"):
        load_settings(tmp_path / "nowhere.yaml")


def test_settings_cannot_be_changed(written):
    settings = load_settings(written({"home": "h"}))
    with pytest.raises(ValidationError, match="frozen"):
        settings.trees.leaf_capacity = 3


def test_settings_survive_being_written_and_read(written):
    settings = load_settings(written({"home": "h", "source": {"first_day": "2026-08-01"}}))
    assert load_settings(written(settings.model_dump(mode="json"))) == settings


def test_every_section_forbids_unknown_keys_and_explains_every_field():
    models = [
        value
        for value in vars(sections).values()
        if isinstance(value, type) and issubclass(value, BaseModel) and value is not BaseModel
    ]
    assert len(models) >= 18
    assert all(issubclass(model, Section) for model in models)
    for model in models:
        assert model.model_config["extra"] == "forbid"
        assert model.model_config["frozen"]
        for name, field in model.model_fields.items():
            assert field.description or model is Settings, f"{model.__name__}.{name}"
