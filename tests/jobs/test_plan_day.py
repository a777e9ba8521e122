"""The plan of a day: without a release, from a sound release, from a broken one."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from grove.errors import DATA_EXIT_CODE
from grove.release import Manifest, write_release
from grove.release.checksums import content_fingerprint, describe_files
from grove.runtime.files import write_json
from grove.runtime.job import run_job
from jobs.plan_day import run

TREE = {"free_share": 0.2, "distortion": 1.0, "distortion_at_build": 1.0}


@pytest.fixture
def encoded(layout, day):
    report = {"status": "committed", "versions": {"encoder": "e0"}, "notes": {}}
    write_json(layout.report(day, "embed_texts"), report)
    return layout


def plan_of(layout, day: date) -> dict[str, object]:
    return json.loads(Path(layout.report(day, "plan_day")).read_text(encoding="utf-8"))["notes"]


def release_yesterday(layout, day: date, shape: dict[str, str]) -> Path:
    yesterday = day - timedelta(days=1)
    folder = Path(layout.releases()) / f"{yesterday}.1"
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(b"weights")
    files = describe_files(folder)
    write_release(
        folder,
        Manifest(
            release_id=folder.name,
            day=yesterday,
            content=content_fingerprint(files),
            code_version="c",
            files=files,
            plan={"trained_on": str(yesterday), "shape": shape},
            trees={"llm": TREE, "cf": TREE},
            weights={"stars": {"learned_through": str(yesterday)}},
        ),
    )
    return folder


def test_the_first_day_is_a_retrain_day(encoded, arguments, day):
    run(arguments(retrain=False))
    notes = plan_of(encoded, day)
    assert (notes["kind"], notes["comparator"]) == ("retrain", None)
    assert notes["shape"]["encoder"] == "e0"
    assert notes["trained_on"] == str(day)


def test_a_day_after_a_sound_release_is_ordinary_and_planned_the_same_twice(
    encoded, arguments, day
):
    run(arguments(retrain=False))
    release_yesterday(encoded, day, plan_of(encoded, day)["shape"])
    run(arguments(retrain=False))
    first = plan_of(encoded, day)
    run(arguments(retrain=False))
    assert plan_of(encoded, day) == first
    assert first["kind"] == "ordinary"
    assert first["previous_release"] == f"{day - timedelta(days=1)}.1"
    assert first["learned_through"] == str(day - timedelta(days=1))
    assert first["rebuild_trees"] is False


def test_a_retrain_can_be_requested(encoded, arguments, day):
    run(arguments(retrain=False))
    release_yesterday(encoded, day, plan_of(encoded, day)["shape"])
    run(arguments(retrain=True))
    assert plan_of(encoded, day)["reason"] == "asked for"


def test_a_broken_release_is_not_started_from(encoded, arguments, day):
    folder = release_yesterday(encoded, day, {})
    (folder / "weights").write_bytes(b"half")
    run(arguments(retrain=False))
    notes = plan_of(encoded, day)
    assert (notes["kind"], notes["previous_release"]) == ("retrain", None)
    because = f"no earlier release to start from; {folder.name} is broken: "
    assert notes["reason"].startswith(because)
    assert "weights" in notes["reason"]
    run(arguments(retrain=True))
    assert plan_of(encoded, day)["reason"].startswith(f"asked for; {folder.name} is broken: ")


def test_days_that_were_built_before_an_earlier_landing_are_reported(encoded, arguments, day):
    two_before, yesterday = (day - timedelta(days=days) for days in (2, 1))
    for landed, version in ((two_before, 9), (yesterday, 3)):
        for stage in ("ingest_landing", "build_histories"):
            report = {"status": "committed", "versions": {"interactions": version}}
            write_json(encoded.report(landed, stage), report)
    run(arguments(retrain=False))
    assert plan_of(encoded, day)["stale_days"] == {str(yesterday): str(two_before)}
    write_json(
        encoded.report(yesterday, "build_histories"), report | {"versions": {"interactions": 9}}
    )
    run(arguments(retrain=False))
    assert "stale_days" not in plan_of(encoded, day)


def test_a_day_without_texts_is_a_data_error(layout, arguments, day):
    assert run_job(run, arguments(retrain=False)) == DATA_EXIT_CODE
    report = json.loads(Path(layout.report(day, "plan_day")).read_text(encoding="utf-8"))
    assert report["status"] == "failed"
