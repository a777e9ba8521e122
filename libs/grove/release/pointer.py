"""The pointer: one small file with the id of the served release."""

from __future__ import annotations

import json
from pathlib import Path

from grove.datasets import release_day
from grove.errors import DataError
from grove.release.durable import write_json
from grove.release.store import expected_release, list_releases, verify_release


def current_release(pointer: str | Path) -> str | None:
    """Id of the served release; none before the first one is published.

    Raises:
        DataError: the pointer exists but cannot be read.
    """
    path = Path(pointer)
    if not path.is_file():
        return None
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["release"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            "the pointer to the served release cannot be read",
            where=str(path),
            expected='{"release": "<day>.<attempt>"}',
            found=f"{type(error).__name__}: {error}",
            next_step="point to a release again: `make rollback TO=<id>`",
        ) from error


def move_pointer(pointer: str | Path, release_id: str) -> None:
    """Set the served release; readers see the old id or the new one."""
    write_json(Path(pointer), {"release": release_id})


def point_to(pointer: str | Path, release_id: str) -> None:
    """Verify a release in the pointer's folder and move the pointer to it, forwards or backwards.

    Raises:
        DataError: there is no such release, or it is damaged; the pointer does not change.
    """
    releases = Path(pointer).parent
    known = list_releases(releases)
    if release_id not in known:
        raise DataError(
            "there is no such release",
            where=str(releases),
            expected=expected_release(known),
            found=release_id,
            next_step="choose a release from the list",
        )
    verify_release(releases / release_id)
    move_pointer(pointer, release_id)


def offer(pointer: str | Path, release_id: str, *, insist: bool = False) -> str:
    """Serve a new release, unless the served release is of a later day.

    Args:
        pointer: the pointer file.
        release_id: the published release.
        insist: serve it in any case.

    Returns:
        Id of the release that is now served.
    """
    served = current_release(pointer)
    if served is not None and not insist and not _should_move(served, release_id):
        return served
    move_pointer(pointer, release_id)
    return release_id


def _should_move(served: str, release_id: str) -> bool:
    """A rerun of a day must not move the pointer back from a later day."""
    return release_day(served) <= release_day(release_id)
