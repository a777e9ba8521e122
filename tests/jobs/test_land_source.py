import json
from argparse import Namespace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from grove.datasets import FEEDS
from grove.errors import DATA_EXIT_CODE, SettingsError
from grove.runtime.clock import utc_today
from grove.runtime.job import run_job
from grove.runtime.landing import feed_files, read_marker
from jobs.land_source import parse_arguments, run

FIRST_DAY = date(2026, 8, 18)


def configure(settings_file, **source):
    values = yaml.safe_load(settings_file.read_text())
    settings_file.write_text(yaml.safe_dump(values | {"source": source}))


@pytest.fixture
def marketplace(settings_file, layout):
    configure(settings_file, size="tiny", first_day=FIRST_DAY)
    return layout


def command_line(settings_file, *words):
    return parse_arguments([*words, "--settings", str(settings_file)])


def landing_bytes(layout):
    folder = Path(layout.home) / "landing"
    files = [*folder.rglob("*"), *(Path(layout.home) / "truth").rglob("*")]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


def test_a_day_lands_with_all_feeds_a_truth_and_a_marker(marketplace, arguments, day):
    run(arguments())

    marker = read_marker(marketplace, day)
    assert set(marker.feeds) == set(FEEDS)
    for feed, entry in marker.feeds.items():
        files = [Path(path) for path in feed_files(marketplace, feed, day)]
        assert len(files) == entry.files
        assert sum(file.read_bytes().count(b"\n") for file in files) == entry.rows
    assert pq.read_table(marketplace.truth(day)).num_rows > 10
    report = json.loads(Path(marketplace.report(day, "land_source")).read_text())
    assert report["status"] == "committed"
    assert report["rows"]["out"] == sum(entry.rows for entry in marker.feeds.values())


def test_a_range_and_a_second_run_of_one_day_give_the_same_bytes(
    marketplace, settings_file, arguments, day
):
    run(command_line(settings_file, "--from", str(FIRST_DAY), "--to", str(day)))
    first = landing_bytes(marketplace)
    run(arguments())

    assert landing_bytes(marketplace) == first
    assert sum("_COMPLETE" in path for path in first) == (day - FIRST_DAY).days + 1


def test_files_of_an_earlier_landing_do_not_stay(marketplace, arguments, day):
    stray = Path(marketplace.landing_feed("events", day)) / "part-00099.jsonl"
    stray.parent.mkdir(parents=True)
    stray.write_text("{}")
    run(arguments())
    assert not stray.exists()


def test_only_declared_feeds_land(settings_file, layout, arguments, day):
    configure(settings_file, size="tiny", first_day=FIRST_DAY, feeds=["events"])
    run(arguments())
    assert set(read_marker(layout, day).feeds) == {"events"}


def test_a_failure_leaves_a_day_without_its_marker(marketplace, arguments, day, monkeypatch):
    run(arguments())

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr("grove.runtime.landing_writer.appears_whole", broken)
    with pytest.raises(OSError, match="disk full"):
        run(arguments())
    assert not Path(marketplace.landing_marker(day)).exists()


def test_a_day_the_source_does_not_have_is_rejected_before_anything_is_written(
    marketplace, settings_file
):
    early = str(FIRST_DAY - timedelta(days=1))
    with pytest.raises(SettingsError, match=early):
        run(command_line(settings_file, "--from", early, "--to", str(FIRST_DAY)))
    assert landing_bytes(marketplace) == {}


def test_a_day_in_the_future_ends_with_the_code_of_a_data_error(marketplace, settings_file):
    tomorrow = str(utc_today() + timedelta(days=1))
    assert run_job(run, command_line(settings_file, "--day", tomorrow)) == DATA_EXIT_CODE
    assert landing_bytes(marketplace) == {}


def small_retail_file(folder):
    line = {
        "InvoiceNo": "536365",
        "StockCode": "22423",
        "Description": "CAKE STAND",
        "Quantity": 2,
        "UnitPrice": 12.75,
        "CustomerID": 17850.0,
        "Country": "United Kingdom",
    }
    days = ["2011-03-04T08:26", "2011-03-06T10:00"]
    moments = [line | {"InvoiceDate": np.datetime64(day, "us").item()} for day in days]
    lines = [*moments, moments[0] | {"StockCode": "POST"}]
    pq.write_table(pa.Table.from_pylist(lines), folder / "online_retail.snappy.parquet")


def test_a_closed_day_gets_a_marker_with_its_reason(settings_file, layout, tmp_path):
    small_retail_file(tmp_path)
    configure(settings_file, name="online-retail", data=str(tmp_path), feeds=["events"])

    run(command_line(settings_file, "--from", "2011-03-04", "--to", "2011-03-06"))

    friday, saturday = read_marker(layout, date(2011, 3, 4)), read_marker(layout, date(2011, 3, 5))
    assert dict(friday.feeds["events"].left_out) == {"non_product": 1}
    assert friday.feeds["events"].rows == 1
    assert saturday.closed
    assert saturday.reason == "no trade on Saturdays"
    report = json.loads(Path(layout.report(date(2011, 3, 5), "land_source")).read_text())
    assert report["status"] == "closed"


def test_the_command_line_takes_a_day_or_a_range(settings_file):
    single = command_line(settings_file, "--day", "2026-08-20")
    assert isinstance(single, Namespace)
    assert single.days == (date(2026, 8, 20),)
    with pytest.raises(SystemExit):
        command_line(settings_file, "--from", "2026-08-20")
