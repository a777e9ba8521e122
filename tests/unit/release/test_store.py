"""Release folders: sealed by their manifest, verified byte by byte, listed in order."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import DataError
from grove.release import (
    Manifest,
    Origin,
    Parts,
    collect_parts,
    describe_release,
    list_releases,
    newest_release_before,
    next_release_id,
    publish_folder,
    read_manifest,
    start_release,
    superfluous_releases,
    verify_release,
    write_release,
)
from grove.release.manifest import parse_manifest
from grove.release.store import release_order

ORIGIN = Origin(
    run_id="r1",
    code_version="0123456789ab",
    table_versions={"items": 3},
    settings={"home": "h"},
    plan={"kind": "retrain"},
    trees={"llm": {"generation": "g"}},
    weights={"stars": {"model_version": "w"}},
    judged={"stars": "v"},
)
METRICS = {
    "evaluate_models": [
        {"metric": "HR", "cutoff": 10, "segment": "all", "value": 0.25, "support": 4},
        {"metric": "HR", "cutoff": 10, "segment": "new_items", "value": 0.5, "support": 2},
    ]
}


@pytest.fixture
def releases(tmp_path):
    return tmp_path / "releases"


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"\x00\x01\x02")
    return folder


def seal(releases: Path, release_id: str, model: Path) -> Manifest:
    folder = start_release(releases, release_id)
    collect_parts(folder, Parts({"models/stars": model}, {}, METRICS))
    manifest = describe_release(folder, release_id, origin=ORIGIN, metrics=METRICS)
    write_release(folder, manifest)
    return manifest


def publish(releases: Path, release_id: str, model: Path) -> Path:
    seal(releases, release_id, model)
    return publish_folder(releases / f"{release_id}.tmp")


def test_a_manifest_reads_back_as_it_was_written(releases, model):
    written = seal(releases, "2026-08-20.1", model)
    assert read_manifest(publish_folder(releases / "2026-08-20.1.tmp")) == written
    assert written.day == date(2026, 8, 20)
    assert set(written.files) == {"metrics.json", "models/stars/weights"}
    assert [row["segment"] for row in written.metrics["evaluate_models"]] == ["all"]


def test_equal_files_have_equal_content_whoever_ran(releases, model):
    first = seal(releases, "2026-08-20.1", model)
    second = seal(releases, "2026-08-20.2", model)
    assert first.content == second.content
    (model / "weights").write_bytes(b"\x00\x01\x03")
    assert seal(releases, "2026-08-20.3", model).content != first.content


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (lambda file: file.unlink(), "models/stars/weights: missing"),
        (lambda file: file.write_bytes(b"\x00"), "1 bytes instead of 3"),
        (lambda file: file.write_bytes(b"\x00\x01\x09"), "checksum differs"),
    ],
)
def test_every_kind_of_damage_is_named(releases, model, damage, found):
    folder = publish(releases, "2026-08-20.1", model)
    assert verify_release(folder).release_id == "2026-08-20.1"
    damage(folder / "models" / "stars" / "weights")
    with pytest.raises(DataError, match=found):
        verify_release(folder)


def test_a_folder_without_manifest_is_half_written(releases, model):
    folder = publish(releases, "2026-08-20.1", model)
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match="half-written"):
        verify_release(folder)
    assert list_releases(releases) == []


def test_a_truncated_manifest_is_rejected(releases, model):
    folder = publish(releases, "2026-08-20.1", model)
    text = (folder / "manifest.json").read_text()
    (folder / "manifest.json").write_text(text[: len(text) // 2])
    with pytest.raises(DataError, match="a release cannot be used"):
        verify_release(folder)


def test_a_manifest_of_another_release_is_rejected(releases, model):
    folder = publish(releases, "2026-08-20.1", model)
    folder.rename(releases / "2026-08-21.1")
    with pytest.raises(DataError, match="the manifest of this folder"):
        read_manifest(releases / "2026-08-21.1")


def test_unknown_and_missing_fields_are_named_together(releases, model):
    values = seal(releases, "2026-08-20.1", model).to_json()
    del values["plan"]
    values["colour"] = "red"
    with pytest.raises(DataError, match="unknown field colour; missing field plan"):
        parse_manifest(values, where="here")


def test_a_manifest_without_a_newer_field_is_still_read(releases, model):
    values = seal(releases, "2026-08-20.1", model).to_json()
    del values["judged"]
    assert parse_manifest(values, where="here").judged == {}


def test_a_manifest_of_a_later_format_is_rejected(releases, model):
    values = seal(releases, "2026-08-20.1", model).to_json() | {"format_version": 2}
    with pytest.raises(DataError, match="format_version 2"):
        parse_manifest(values, where="here")


def test_a_manifest_must_list_exactly_the_files(releases, model):
    manifest = seal(releases, "2026-08-20.1", model)
    (releases / "2026-08-20.1.tmp" / "stray").write_text("x")
    with pytest.raises(DataError, match="stray"):
        write_release(releases / "2026-08-20.1.tmp", manifest)


def test_a_missing_part_stops_the_collection(releases, tmp_path):
    folder = start_release(releases, "2026-08-20.1")
    with pytest.raises(DataError, match="a part of the release is missing"):
        collect_parts(folder, Parts({"index": tmp_path / "nowhere"}, {}))


def test_leftovers_of_a_killed_run_are_not_listed_and_do_not_block(releases, model):
    publish(releases, "2026-08-20.1", model)
    seal(releases, "2026-08-20.2", model)
    assert list_releases(releases) == ["2026-08-20.1"]
    assert next_release_id(releases, date(2026, 8, 20)) == "2026-08-20.2"
    publish(releases, "2026-08-20.2", model)
    assert list_releases(releases) == ["2026-08-20.1", "2026-08-20.2"]


@pytest.mark.parametrize("name", ["2026-08-20.1.bak", "2026-08-20.x", "old", "2026-08-20.1 copy"])
def test_a_folder_without_a_release_name_is_not_a_release(releases, model, name):
    folder = publish(releases, "2026-08-20.1", model)
    (releases / name).mkdir()
    (releases / name / "manifest.json").write_bytes((folder / "manifest.json").read_bytes())
    assert list_releases(releases) == ["2026-08-20.1"]
    assert next_release_id(releases, date(2026, 8, 20)) == "2026-08-20.2"
    assert newest_release_before(releases, date(2026, 8, 21)) == "2026-08-20.1"


def test_the_newest_release_of_an_earlier_day(releases, model):
    for release_id in ("2026-08-19.1", "2026-08-19.10", "2026-08-19.9", "2026-08-21.1"):
        publish(releases, release_id, model)
    assert newest_release_before(releases, date(2026, 8, 21)) == "2026-08-19.10"
    assert newest_release_before(releases, date(2026, 8, 19)) is None
    assert newest_release_before(releases / "nowhere", date(2026, 8, 19)) is None


def test_the_serving_release_is_never_superfluous(releases, model):
    ids = [f"2026-08-{day}.1" for day in range(16, 21)]
    for release_id in ids:
        publish(releases, release_id, model)
    assert superfluous_releases(releases, keep=2, serving=ids[0]) == ids[1:3]
    assert superfluous_releases(releases, keep=9, serving=None) == []


@given(st.lists(st.tuples(st.dates(min_value=date(2000, 1, 1)), st.integers(1, 500)), max_size=20))
def test_releases_sort_by_day_and_then_by_attempt(pairs):
    ids = [f"{day:%Y-%m-%d}.{attempt}" for day, attempt in pairs]
    assert [release_order(one) for one in sorted(ids, key=release_order)] == sorted(pairs)


def test_the_manifest_is_readable_json(releases, model):
    folder = publish(releases, "2026-08-20.1", model)
    values = json.loads((folder / "manifest.json").read_text())
    assert values["day"] == "2026-08-20"
    assert values["files"]["models/stars/weights"]["size_bytes"] == 3
