"""A settings file is read whole, or all of its errors are reported at once."""

from __future__ import annotations

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from grove.errors import DATA_EXIT_CODE, SettingsError
from grove.settings import Settings, load_settings, sections
from grove.settings.load import parse_settings
from grove.settings.section import Section


@pytest.fixture
def written(tmp_path):
    def write(values):
        file = tmp_path / "settings.yaml"
        file.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
        return file

    return write


def test_only_the_home_is_required(written):
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


@pytest.mark.parametrize(
    ("section", "values", "message"),
    [
        ("evaluation", {"cutoffs": []}, "evaluation.cutoffs: "),
        ("evaluation", {"cutoffs": [0, 50]}, "evaluation.cutoffs.0: "),
        ("evaluation", {"cutoffs": [10, 100]}, "evaluation.gate_cutoff: .* one of the cutoffs, 10"),
        ("evaluation", {"gate_cutoff": 20}, "evaluation.gate_cutoff: .*found 20"),
        ("trees", {"level_sizes": [0, -1]}, "trees.level_sizes.0: .*trees.level_sizes.1: "),
        ("trees", {"level_sizes": []}, "trees.level_sizes: "),
        ("treebridge", {"width": 65}, "treebridge.heads: .*must divide the width, 65"),
        ("treebridge", {"fusion": "median"}, "treebridge.fusion: .*round_robin"),
        ("stars", {"width": 15, "heads": 2}, "stars.heads: .*must divide the width, 15"),
        ("dssm", {"layers": 2}, "dssm.layers: Extra inputs"),
        ("dssm", {"heads": 2}, "dssm.heads: Extra inputs"),
        ("ingest", {"max_quarantined_share": 0.01}, "ingest.warn_quarantined_share: .*0.01"),
        ("trees", {"headroom": 0.04}, "trees.min_free_share: .*at most headroom, 0.04"),
        ("treebridge", {"llm_weight": 0}, "treebridge.llm_weight: .*greater than 0"),
        ("treebridge", {"cf_weight": 0}, "treebridge.cf_weight: .*greater than 0"),
        ("treebridge", {"new_item_bonus": float("inf")}, "treebridge.new_item_bonus: .*finite"),
        ("treebridge", {"new_item_bonus": 11}, "treebridge.new_item_bonus: .*equal to 10"),
        ("dssm", {"learning_rate": float("inf")}, "dssm.learning_rate: .*finite"),
        ("source", {"feeds": ["users"]}, "source.feeds: .*declares events"),
        ("source", {"positive_events": []}, "source.positive_events: "),
        ("spark", {"driver_memory_gib": 0}, "spark.driver_memory_gib: "),
        ("spark", {"shuffle_partitions": 0}, "spark.shuffle_partitions: "),
        ("retention", {"report_days": 7}, "retention.report_days: "),
    ],
)
def test_values_that_would_crash_a_job_are_rejected(section, values, message):
    with pytest.raises(SettingsError, match=message):
        parse_settings({"home": "h", section: values}, where="here")


def test_incompatible_values_are_reported_with_all_other_errors():
    wrong = {
        "home": "h",
        "treebridge": {"width": 65, "epochs": 0},
        "evaluation": {"gate_cutoff": 20, "tolerance": -1},
    }
    with pytest.raises(SettingsError, match="4 settings are wrong"):
        parse_settings(wrong, where="here")


@pytest.mark.parametrize("home", ["s3a://shop/grove", "file:/srv/shop", "hdfs://shop"])
def test_a_home_that_is_no_folder_is_rejected(home):
    with pytest.raises(SettingsError, match=r"home: .*object storage is not supported yet"):
        parse_settings({"home": home}, where="here")


@pytest.mark.parametrize(
    "wrong",
    [
        {"notices": {"web_hook": "https://hook/secret"}},
        {"notices": {"webhook": ["https://hook/secret"]}},
        {"notices": "https://hook/secret"},
        {"notice": {"webhook": "https://hook/secret"}},
        {"home": None, "notices": {"webhook": "https://hook/secret"}},
    ],
)
def test_an_error_never_repeats_the_webhook(wrong):
    values = {"home": "h"} | wrong
    for broken in (values, {name: value for name, value in values.items() if name != "home"}):
        with pytest.raises(SettingsError, match=r"home|notice") as caught:
            parse_settings({"colour": "red", **broken}, where="here")
        assert "secret" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_broken_yaml_is_reported_by_its_line_number_alone(written):
    with pytest.raises(SettingsError) as caught:
        load_settings(written("home: h\nnotices:\n  webhook: https://hook/secret: x\n"))
    assert "in line 3" in caught.value.found
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["- a list", "just words", "home: [", ""])
def test_a_file_that_is_no_mapping_is_rejected(written, text):
    with pytest.raises(SettingsError, match="settings are not"):
        load_settings(written(text))


def test_a_missing_file_is_an_error_with_a_next_step(tmp_path):
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


@pytest.mark.parametrize("letter", [*"[]{}*?:%#|<>^`", '"', "\\", "\n", "\x1b", "\x7f"])
def test_a_home_that_spark_or_delta_would_misread_is_refused_by_its_letters(letter: str) -> None:
    with pytest.raises(SettingsError, match=r"home: .*without them") as error:
        parse_settings({"home": f"/data/a{letter}b/shop"}, where="settings.yaml")
    assert repr(letter) in str(error.value)


@pytest.mark.parametrize("name", ["a b", "é杯", "$HOME", "a'b", "a,b=c;d", "a&b+c@d", "(a)!~-"])
def test_other_letters_are_part_of_a_home(name: str) -> None:
    assert parse_settings({"home": f"/data/{name}"}, where="x").home == f"/data/{name}"
