"""Sizes and checksums of the files of a release folder."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class FileRecord:
    """Size and checksum of one file of a release."""

    size_bytes: int
    sha256: str
    """64 hex digits."""


def describe_files(folder: Path, *, without: frozenset[str] = frozenset()) -> dict[str, FileRecord]:
    """Size and checksum of every file below a folder.

    Args:
        folder: release folder.
        without: relative paths to leave out, with `/` between parts.

    Returns:
        Record per path below the folder, sorted by path.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {
        name: describe_file(path)
        for name, path in sorted(paths.items())
        if path.is_file() and name not in without
    }


def describe_file(path: Path) -> FileRecord:
    """Size and checksum of one file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return FileRecord(size_bytes=path.stat().st_size, sha256=digest.hexdigest())


def content_fingerprint(files: Mapping[str, FileRecord]) -> str:
    """One fingerprint over names and checksums, for comparing the content of two releases.

    Run ids, times and attempt numbers are in the manifest, which the fingerprint excludes.

    Example:
        >>> one = {"a": FileRecord(size_bytes=1, sha256="0" * 64)}
        >>> content_fingerprint(one) == content_fingerprint(dict(one))
        True
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{files[name].sha256}\n".encode())
    return digest.hexdigest()
