"""A day has one spelling, wherever it is read: of two spellings of a day, one is rejected."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.datasets import Layout
from grove.day import parse_day
from grove.errors import DataError, SettingsError
from grove.runtime.arguments import job_parser, parse
from grove.runtime.landing import read_marker
from grove.settings.load import parse_settings
from infra.local.days_to_run import parse_range
from infra.local.make_variables import read_day

DAY = date(2026, 8, 2)
MIDNIGHT = datetime(2026, 8, 2, tzinfo=UTC)
OTHER_SPELLINGS = [
    "2026-8-2",
    "2026-08-2",
    "20260802",
    "2026-W31-7",
    "2026W317",
    "2026-214",
    " 2026-08-02",
    "2026-08-02 ",
    "2026-08-02\n",
    "2026‑08‑02",
    "２０２６-０８-０２",
    "٢٠٢٦-٠٨-٠٢",
    "2026-08-02T00:00:00",
    "2026/08/02",
    "02.08.2026",
    "+2026-08-02",
    "26-08-02",
    "2026-02-30",
    "yesterday",
    "",
]


@pytest.mark.parametrize("text", OTHER_SPELLINGS)
def test_another_spelling_is_no_day(text: str) -> None:
    with pytest.raises(ValueError, match="is not a day in the form YYYY-MM-DD") as caught:
        parse_day(text)
    assert repr(text) in str(caught.value)


@given(st.dates())
def test_a_day_reads_back_as_it_is_written(day: date) -> None:
    assert parse_day(day.isoformat()) == day


@given(st.text(max_size=12) | st.from_regex(r"\A\s?\d{1,4}-?[W]?\d{1,2}-?\d{1,2}\s?\Z"))
def test_what_is_read_is_written_the_same(text: str) -> None:
    try:
        day = parse_day(text)
    except ValueError:
        return
    assert day.isoformat() == text
    assert text.isascii()


@given(st.dates(), st.dates())
def test_the_order_of_texts_is_that_of_days(one: date, other: date) -> None:
    assert (str(one) < str(other)) == (one < other)


@pytest.mark.parametrize("text", [text for text in OTHER_SPELLINGS if text])
def test_jobs_and_commands_reject_it_with_the_same_words(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--day", text], ["--from", text, "--to", "2026-08-03"]):
        with pytest.raises(SystemExit):
            parse(job_parser("Work.", days="range"), ["--settings", "s", *words])
        assert "is not a day in the form YYYY-MM-DD" in capsys.readouterr().err
    with pytest.raises(SettingsError, match="a day, YYYY-MM-DD, such as"):
        read_day(text, variable="DAY", example="make trigger DAY=2026-08-20")
    with pytest.raises(SettingsError, match="the days cannot be run"):
        parse_range(f"{text}..2026-08-03")


@pytest.mark.parametrize("value", [*OTHER_SPELLINGS, 20260802, 1_785_628_800, MIDNIGHT])
def test_settings_reject_it(value: object) -> None:
    with pytest.raises(SettingsError, match=r"source\.first_day: .*is not a day in the form"):
        parse_settings({"home": "h", "source": {"first_day": value}}, where="here")


@pytest.mark.parametrize("value", ["2026-08-02", DAY, None])
def test_settings_take_a_day(value: object) -> None:
    settings = parse_settings({"home": "h", "source": {"first_day": value}}, where="here")
    assert settings.source.first_day == (value and DAY)


@pytest.mark.parametrize("value", [*OTHER_SPELLINGS, 20260802, None])
def test_a_marker_with_it_is_malformed(tmp_path: Path, value: object) -> None:
    layout = Layout(str(tmp_path))
    marker = Path(layout.landing_marker(DAY))
    marker.parent.mkdir(parents=True)
    marker.write_text(json.dumps({"day": value}))
    with pytest.raises(DataError, match="a landing marker is malformed"):
        read_marker(layout, DAY)
