from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from grove.errors import SettingsError
from grove.settings import load_settings
from infra.local.settings_file import known_first_day, template_of, write_settings

FIRST = date(2026, 10, 20)


def test_a_settings_file_states_home_and_first_day_of_the_source(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    written = write_settings(file, "marketplace", first_day=FIRST, data=None, size="tiny")
    assert written == load_settings(file)
    assert written.home == str(tmp_path)
    assert (written.source.first_day, written.source.size) == (FIRST, "tiny")
    assert known_first_day(file, "marketplace") == FIRST


def test_typed_values_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    data = tmp_path / "data"
    data.mkdir()
    write_settings(file, "online-retail", first_day=FIRST, data=str(data), size=None)
    again = write_settings(file, "online-retail", first_day=FIRST, data=None, size=None)
    assert again.source.data == str(data)


def test_a_real_source_knows_its_first_day(tmp_path: Path) -> None:
    assert known_first_day(tmp_path / "none.yaml", "online-retail") == date(2010, 12, 1)
    assert known_first_day(tmp_path / "none.yaml", "marketplace") is None


def test_an_unknown_source_is_rejected_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match="marketplace or online-retail"):
        template_of("bazaar")


def test_an_outside_source_needs_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    with pytest.raises(SettingsError, match="DATA"):
        write_settings(file, "online-retail", first_day=FIRST, data=None, size=None)
    with pytest.raises(SettingsError, match="no such data set"):
        write_settings(file, "online-retail", first_day=FIRST, data="/nowhere", size=None)
    assert not file.exists()


def test_an_unknown_size_is_rejected_with_its_text(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    with pytest.raises(SettingsError, match="SIZE") as caught:
        write_settings(file, "marketplace", first_day=FIRST, data=None, size="giant")
    assert (caught.value.found, caught.value.expected) == (
        "giant",
        "tiny or small or medium or large",
    )
    assert not file.exists()


def test_a_shop_keeps_its_size(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    write_settings(file, "marketplace", first_day=FIRST, data=None, size=None)
    written = file.read_text(encoding="utf-8")
    with pytest.raises(SettingsError, match="another size") as caught:
        write_settings(file, "marketplace", first_day=FIRST, data=None, size="tiny")
    assert (caught.value.expected, caught.value.found) == ("small", "tiny")
    assert file.read_text(encoding="utf-8") == written
    again = write_settings(file, "marketplace", first_day=FIRST, data=None, size="small")
    assert again.source.size == "small"


def test_only_the_marketplace_has_a_size(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(SettingsError, match="only a simulated shop"):
        write_settings(
            tmp_path / "settings.yaml",
            "online-retail",
            first_day=FIRST,
            data=str(tmp_path / "data"),
            size="tiny",
        )


def test_a_value_that_became_invalid_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("source: {first_day: 2026-08-18}\ntreebridge: {llm_weight: 0}\n")
    assert known_first_day(file, "marketplace") == date(2026, 8, 18)
    write_settings(file, "marketplace", first_day=FIRST, data=None, size=None)
    assert "llm_weight" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "first_day"), [("2026-08-18", date(2026, 8, 18)), ("'2026-08-18'", date(2026, 8, 18))]
)
def test_the_first_day_may_be_quoted(tmp_path: Path, text: str, first_day: date) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"source: {{first_day: {text}}}\n")
    assert known_first_day(file, "marketplace") == first_day


@pytest.mark.parametrize("text", ["2026-8-18", "20260818", "2026-08-18 00:00:00"])
def test_another_spelling_of_the_first_day_is_rejected(tmp_path: Path, text: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"source: {{first_day: {text}}}\n")
    with pytest.raises(SettingsError, match="the first day of the source is not a day") as caught:
        known_first_day(file, "marketplace")
    assert str(file) in caught.value.where
