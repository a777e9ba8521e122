"""Release folders: collected under a temporary name, sealed, listed, verified and deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from grove.datasets import release_day
from grove.errors import DataError
from grove.release.checksums import FileRecord, content_fingerprint, describe_file, describe_files
from grove.release.durable import TEMPORARY_SUFFIX, rename, write_json
from grove.release.manifest import MANIFEST_FILE, Manifest, parse_manifest

_RELEASE_NAME = re.compile(r"\d{4}-\d\d-\d\d\.\d+")


def list_releases(releases_folder: str | Path) -> list[str]:
    """Ids of all finished releases, oldest first; attempts of one day in their order.

    Folders with any other name, for example a manual copy, are ignored.
    """
    parent = Path(releases_folder)
    if not parent.is_dir():
        return []
    finished = [path.name for path in parent.iterdir() if (path / MANIFEST_FILE).is_file()]
    return sorted(filter(_RELEASE_NAME.fullmatch, finished), key=release_order)


def expected_release(known: Sequence[str]) -> str:
    """The existing releases, as the `expected` field of an error.

    Example:
        >>> expected_release(["2026-11-18.1", "2026-11-19.1"])
        'one of 2026-11-18.1, 2026-11-19.1'
        >>> expected_release([])
        'a published release; there is none yet'
    """
    return f"one of {', '.join(known)}" if known else "a published release; there is none yet"


def release_order(release_id: str) -> tuple[date, int]:
    """Day and attempt of a release, for sorting.

    Example:
        >>> release_order("2026-11-19.10") > release_order("2026-11-19.9")
        True
    """
    return release_day(release_id), int(release_id.rpartition(".")[2])


def next_release_id(releases_folder: str | Path, day: date) -> str:
    """Id of the next release of a day; an id is not reused while its folder exists."""
    parent = Path(releases_folder)
    names = [path.name for path in parent.iterdir()] if parent.is_dir() else []
    prefix = f"{day:%Y-%m-%d}."
    attempts = [
        int(name.removeprefix(prefix))
        for name in names
        if name.startswith(prefix) and _RELEASE_NAME.fullmatch(name)
    ]
    return f"{prefix}{max(attempts, default=0) + 1}"


def newest_release_before(releases_folder: str | Path, day: date) -> str | None:
    """Id of the newest release of an earlier day, served or not; none if there is none."""
    earlier = [one for one in list_releases(releases_folder) if release_day(one) < day]
    return earlier[-1] if earlier else None


def read_manifest(folder: str | Path) -> Manifest:
    """Read a release's manifest without checking its files.

    Raises:
        DataError: the manifest is missing, malformed, or of another release.
    """
    path = Path(folder) / MANIFEST_FILE
    if not path.is_file():
        raise _broken(path.parent, f"a {MANIFEST_FILE}", "none: the release is half-written")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _broken(path.parent, f"JSON in {MANIFEST_FILE}", str(error)) from error
    manifest = parse_manifest(values, where=str(path))
    if manifest.release_id != path.parent.name.removesuffix(TEMPORARY_SUFFIX):
        raise _broken(path.parent, "the manifest of this folder", manifest.release_id)
    return manifest


def verify_release(folder: str | Path) -> Manifest:
    """Check that every file of a release exists and is unchanged.

    Raises:
        DataError: the manifest or a file is missing, truncated or changed; the message names all.
    """
    manifest = read_manifest(folder)
    found = describe_existing(Path(folder), manifest)
    problems = [
        f"{name}: {_difference(expected, found.get(name))}"
        for name, expected in manifest.files.items()
        if found.get(name) != expected
    ]
    if problems:
        raise _broken(Path(folder), f"{len(manifest.files)} unchanged files", "; ".join(problems))
    if content_fingerprint(manifest.files) != manifest.content:
        raise _broken(Path(folder), f"content {manifest.content}", "another list of files")
    return manifest


def describe_existing(folder: Path, manifest: Manifest) -> dict[str, FileRecord]:
    """Current size and checksum of those files of a manifest that exist."""
    paths = {name: folder / name for name in manifest.files}
    return {name: describe_file(path) for name, path in paths.items() if path.is_file()}


def write_release(folder: str | Path, manifest: Manifest) -> None:
    """Seal a collected folder: the manifest is the last file written.

    Args:
        folder: the release's folder, under its final or its temporary name.
        manifest: lists exactly the files of the folder.

    Raises:
        DataError: the manifest lists other files than the folder contains.
    """
    target = Path(folder)
    found = describe_files(target, without=frozenset({MANIFEST_FILE}))
    if found != dict(manifest.files):
        different = sorted(set(found.items()) ^ set(manifest.files.items()), key=str)
        names = sorted({name for name, _ in different})
        raise _broken(target, "the files of its manifest", f"differences in {', '.join(names)}")
    write_json(target / MANIFEST_FILE, manifest.to_json())


def publish_folder(temporary: str | Path) -> Path:
    """Rename a sealed folder to its final name, under which readers list it."""
    source = Path(temporary)
    final = source.with_name(source.name.removesuffix(TEMPORARY_SUFFIX))
    rename(source, final)
    return final


def superfluous_releases(
    releases_folder: str | Path, *, keep: int, serving: str | None
) -> Sequence[str]:
    """Ids of the releases beyond the newest `keep`, without the served one.

    Args:
        releases_folder: folder of all releases.
        keep: number of newest releases to keep.
        serving: id of the served release, if any.
    """
    releases = list_releases(releases_folder)
    return [one for one in releases[: max(0, len(releases) - keep)] if one != serving]


def _difference(expected: FileRecord, found: FileRecord | None) -> str:
    if found is None:
        return "missing"
    if found.size_bytes != expected.size_bytes:
        return f"{found.size_bytes} bytes instead of {expected.size_bytes}"
    return "checksum differs"


def _broken(folder: Path, expected: str, found: str) -> DataError:
    return DataError(
        "a release cannot be used",
        where=str(folder),
        expected=expected,
        found=found,
        next_step="serve another release: `make rollback TO=<id>`, and publish this day again",
    )
