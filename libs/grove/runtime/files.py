"""Atomic writes of small files, and listing and removal of files."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grove.errors import SettingsError
from grove.plain_text import json_text

TEMPORARY_SUFFIX = ".tmp"
"""Suffix of a file or folder that is still being written."""


def write_json(path: str | Path, value: object) -> None:
    """Write a value as JSON, so that a reader sees the old file or the new one, never a part.

    The text is written to a file beside the target, flushed to the disk, and renamed over the
    target. Keys are sorted, so equal values give equal bytes.

    Args:
        path: target file; missing parent folders are created.
        value: any value that `json` can write.
    """
    write_text(path, json_text(value, indent=2) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text atomically; see `write_json`."""
    with appears_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def appears_whole(path: str | Path) -> Iterator[Path]:
    """Let a block write a file beside its target, then rename it over the target.

    Args:
        path: target file; missing parent folders are created.

    Yields:
        The file to write. If the block fails, the target does not change.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id prevents two writers of one target from sharing the temporary file.
    beside = target.with_name(f"{target.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    yield beside
    _flush(beside)
    beside.replace(target)
    _flush(target.parent)


def require_writable_parent(target: str | Path) -> None:
    """Create the parent folder of a target and check that it is writable.

    Args:
        target: file or folder named by the user; it is not created.

    Raises:
        SettingsError: the parent folder cannot be created or written to.
    """
    parent = Path(target).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        # Permissions are not enough: a disk may be full or mounted read-only.
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise SettingsError(
            "the folder is not writable",
            where=str(target),
            expected="a folder that can be created and written to",
            found=str(error),
            next_step="name another folder, or free space and set permissions in this one",
        ) from error


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        ValueError: the text is not JSON, or its top level is not an object.
    """
    value = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object in {path}, found {type(value).__name__}")  # noqa: TRY004
    return value


def flush_folder(folder: Path) -> None:
    """Flush a folder, so that a rename in it survives a power failure."""
    _flush(folder)


def list_files(folder: str | Path) -> list[str]:
    """Paths of all finished files below a folder, sorted; empty if the folder does not exist."""
    return sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.is_file() and path.suffix != TEMPORARY_SUFFIX
    )


def remove_tree(path: str | Path) -> None:
    """Delete a file, or a folder with its content; a missing one is not an error."""
    target = Path(path)
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
