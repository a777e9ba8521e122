"""Expired data is deleted; the served release never is."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from grove.contracts import arrow_schema, load_contract
from grove.datasets import ITEMS, QUARANTINE, TEXT_EMBEDDINGS
from grove.release import (
    Origin,
    Parts,
    collect_parts,
    describe_release,
    list_releases,
    move_pointer,
    publish_folder,
    start_release,
    write_release,
)
from grove.runtime.landing import Marker, marker_exists, write_marker
from grove.runtime.reports import find_report
from grove.runtime.tables import insert_missing, partition_days, read_arrow, replace_partition
from jobs.expire_partitions import parse_arguments, run

DAY = date(2026, 8, 20)
OLD = DAY - timedelta(days=200)
ORIGIN = Origin(
    run_id="r", code_version="c", table_versions={}, settings={}, plan={}, trees={}, weights={}
)


def rows_of(dataset, **values):
    return pa.Table.from_pylist([values], schema=arrow_schema(load_contract(dataset)))


def publish(layout, release_id):
    folder = start_release(layout.releases(), release_id)
    collect_parts(folder, Parts({}, {}))
    write_release(folder, describe_release(folder, release_id, origin=ORIGIN, metrics={}))
    publish_folder(folder)


@pytest.fixture
def kept_too_long(layout):
    for day in (OLD, DAY):
        quarantined = rows_of(
            QUARANTINE, day=day, feed="events", reason="malformed", file="f", line=1, raw="{"
        )
        replace_partition(quarantined, layout, QUARANTINE, {"day": day})
        item = rows_of(
            ITEMS,
            day=day,
            item_id=f"i{day}",
            title="Mug",
            category_path=["Home"],
            tags=[],
            regions=["north"],
            first_seen=day,
        )
        replace_partition(item, layout, ITEMS, {"day": day})
        write_marker(layout, Marker(day=day))
        Path(layout.landing_feed("events", day)).mkdir(parents=True)
        Path(layout.attempts(day, "train_stars"), "1").mkdir(parents=True)
    released = [OLD + timedelta(days=offset) for offset in range(7)]
    for day in released:
        publish(layout, f"{day}.1")
    move_pointer(layout.current_pointer(), f"{OLD}.1")
    Path(layout.releases(), f"{OLD}.2.tmp").mkdir()
    Path(layout.releases(), f"{DAY}.1.tmp").mkdir()
    return [f"{day}.1" for day in released]


def test_expired_data_is_deleted_and_the_rest_stays(arguments, layout, kept_too_long):
    run(arguments(dry_run=False))
    assert partition_days(layout, QUARANTINE) == [DAY]
    assert partition_days(layout, ITEMS) == [OLD, DAY]
    assert not marker_exists(layout, OLD)
    assert marker_exists(layout, DAY)
    assert not Path(layout.landing_feed("events", OLD)).exists()
    assert Path(layout.landing_feed("events", DAY)).exists()
    # Five are kept, and the one that is served.
    assert list_releases(layout.releases()) == [kept_too_long[0], *kept_too_long[2:]]
    assert not Path(layout.releases(), f"{OLD}.2.tmp").exists()
    assert Path(layout.releases(), f"{DAY}.1.tmp").exists()


def test_records_and_unfinished_work_of_a_day_expire(arguments, layout, settings_file):
    settings = yaml.safe_load(settings_file.read_text()) | {"retention": {"report_days": 100}}
    settings_file.write_text(yaml.safe_dump(settings))

    def left_by(day):
        return [
            layout.report(day, "train_stars"),
            layout.verdict(day, "train_stars", "item_vectors"),
            f"{layout.data_docs(day)}/index.html",
            f"{layout.notices()}/{day}-task-train_stars-scheduled_{day}.json",
            layout.truth(day),
            f"{layout.staging('train_stars', day)}/checkpoint/weights",
        ]

    for day in (OLD, DAY):
        for path in left_by(day):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("{}")
    run(arguments(dry_run=True))
    assert all(Path(path).exists() for path in left_by(OLD))
    run(arguments(dry_run=False))
    assert [path for path in left_by(OLD) if Path(path).exists()] == []
    assert all(Path(path).exists() for path in left_by(DAY))
    assert not Path(layout.report(OLD, "train_stars")).parent.exists()


def test_artifacts_of_a_kept_release_stay(arguments, layout, kept_too_long):
    other = OLD - timedelta(days=1)
    Path(layout.attempts(other, "train_stars"), "1").mkdir(parents=True)
    run(arguments(dry_run=False))
    assert Path(layout.attempts(OLD, "train_stars")).exists()
    assert not Path(layout.attempts(other, "train_stars")).exists()


def test_a_dry_run_deletes_nothing_and_reports_what_would_be_deleted(
    arguments, layout, kept_too_long
):
    run(arguments(dry_run=True))
    assert partition_days(layout, QUARANTINE) == [OLD, DAY]
    assert list_releases(layout.releases()) == kept_too_long
    assert marker_exists(layout, OLD)
    notes = find_report(layout, DAY, "expire_partitions").notes
    assert notes["days"] == {"quarantine": [str(OLD)]}
    assert [Path(one).name for one in notes["folders"]["releases"]] == [kept_too_long[1]]


def test_a_second_run_finds_nothing_more(arguments, layout, kept_too_long):
    run(arguments(dry_run=False))
    run(arguments(dry_run=False))
    notes = find_report(layout, DAY, "expire_partitions").notes
    assert notes["days"] == {}
    assert not any(notes["folders"].values())


def test_unreferenced_files_of_a_table_are_deleted_after_their_retention(
    layout, settings_file, arguments
):
    settings = yaml.safe_load(settings_file.read_text()) | {"retention": {"vacuum_hours": 0}}
    settings_file.write_text(yaml.safe_dump(settings))
    for number in range(3):
        text = rows_of(TEXT_EMBEDDINGS, encoder="e", text_hash=str(number) * 64, vector=[1.0])
        insert_missing(text, layout, TEXT_EMBEDDINGS, ("text_hash",), {"encoder": "e"})
    folder = Path(layout.table(TEXT_EMBEDDINGS))
    assert len(list(folder.rglob("*.parquet"))) == 3
    run(arguments(dry_run=False))
    assert len(list(folder.glob("encoder=*/*.parquet"))) == 1
    assert read_arrow(layout, TEXT_EMBEDDINGS).num_rows == 3


def test_the_command_line(settings_file):
    argv = ["--day", "2026-08-20", "--settings", str(settings_file), "--dry-run", ""]
    arguments = parse_arguments(argv)
    assert (arguments.day, arguments.dry_run) == (DAY, True)
