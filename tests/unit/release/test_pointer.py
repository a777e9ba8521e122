"""The pointer moves atomically, only to complete releases, and not back by accident."""

from __future__ import annotations

import json

import pytest

from grove.errors import DataError
from grove.release import current_release, move_pointer, offer, point_to


@pytest.fixture
def pointer(tmp_path):
    return tmp_path / "releases" / "current.json"


def test_nothing_is_served_before_the_first_release(pointer):
    assert current_release(pointer) is None


def test_the_pointer_names_the_release_it_was_moved_to(pointer):
    move_pointer(pointer, "2026-08-20.1")
    assert current_release(pointer) == "2026-08-20.1"
    assert [path.name for path in pointer.parent.iterdir()] == ["current.json"]


def test_an_unreadable_pointer_is_an_error_with_a_next_step(pointer):
    pointer.parent.mkdir()
    pointer.write_text('{"release":')
    with pytest.raises(DataError, match="make rollback"):
        current_release(pointer)


@pytest.mark.parametrize(
    ("served", "published", "insist", "expected"),
    [
        (None, "2026-08-20.1", False, "2026-08-20.1"),
        ("2026-08-19.1", "2026-08-20.1", False, "2026-08-20.1"),
        ("2026-08-20.1", "2026-08-20.2", False, "2026-08-20.2"),
        ("2026-08-21.1", "2026-08-20.2", False, "2026-08-21.1"),
        ("2026-08-21.1", "2026-08-20.2", True, "2026-08-20.2"),
    ],
)
def test_a_rerun_of_a_day_does_not_move_the_pointer_back(
    pointer, served, published, insist, expected
):
    if served:
        move_pointer(pointer, served)
    assert offer(pointer, published, insist=insist) == expected
    assert current_release(pointer) == expected


def test_only_an_existing_release_can_be_pointed_to(pointer):
    move_pointer(pointer, "2026-08-20.1")
    with pytest.raises(DataError, match="there is no such release") as rejected:
        point_to(pointer, "2026-08-19.1")
    assert "there is none yet" in str(rejected.value)
    assert current_release(pointer) == "2026-08-20.1"


def test_a_damaged_release_cannot_be_pointed_to(pointer):
    move_pointer(pointer, "2026-08-20.1")
    folder = pointer.parent / "2026-08-19.1"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"release_id": "2026-08-19.1"}))
    with pytest.raises(DataError, match="malformed"):
        point_to(pointer, "2026-08-19.1")
    assert current_release(pointer) == "2026-08-20.1"
