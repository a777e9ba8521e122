"""Small files that are either whole or absent, and folders that appear in one step."""

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

TEMPORARY_SUFFIX = ".tmp"
"""Ending of a file or folder that is still being written."""


def write_json(path: str | Path, value: object) -> None:
    """Write a value as JSON, so that a reader sees the old file or the new one, never a part.

    The text goes to a file beside the target, is flushed to the disk, and is then
    renamed over the target. Keys are sorted, so equal values give equal bytes.

    Args:
        path: target file; missing parent folders are made.
        value: anything `json` can write.
    """
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(path, text + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Write UTF-8 text in one step; see `write_json`."""
    with appears_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")


@contextmanager
def appears_whole(path: str | Path) -> Iterator[Path]:
    """Let a block write a file beside its target, then put it there in one step.

    Args:
        path: target file; missing parent folders are made.

    Yields:
        The file to write. When the block fails the target stays as it was.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers of one target from sharing the file beside it.
    beside = target.with_name(f"{target.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    yield beside
    _flush(beside)
    beside.replace(target)
    _flush(target.parent)


def require_writable_parent(target: str | Path) -> None:
    """Make the folder that a target was asked to lie in, and see that it can be written to.

    Args:
        target: file or folder that somebody named; it is not made.

    Raises:
        SettingsError: there can be no such folder, or nothing can be written to it.
    """
    parent = Path(target).parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        # Rights alone do not tell: a disk may be full or mounted for reading.
        tempfile.TemporaryFile(dir=parent).close()
    except OSError as error:
        raise SettingsError(
            "nothing can be written there",
            where=str(target),
            expected="a folder that can be made and written to",
            found=str(error),
            next_step="name another folder, or make room and rights in this one",
        ) from error


def read_json(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        ValueError: the text is not JSON, or its top level is no object.
    """
    value = json.loads(Path(path).read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object in {path}, found {type(value).__name__}")  # noqa: TRY004
    return value


def flush_folder(folder: Path) -> None:
    """Make a rename inside a folder survive a power cut."""
    _flush(folder)


def list_files(folder: str | Path) -> list[str]:
    """Paths of all finished files below a folder, sorted; empty where the folder is absent."""
    return sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.is_file() and path.suffix != TEMPORARY_SUFFIX
    )


def remove_tree(path: str | Path) -> None:
    """Delete a file, or a folder and what is in it; one that is absent is fine."""
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
