"""Small files that are either whole or absent, and folders that appear in one step."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

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
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers of one target from sharing the file beside it.
    beside = target.with_name(f"{target.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(target)
    flush_folder(target.parent)


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
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def list_files(folder: str | Path) -> list[str]:
    """Paths of all finished files below a folder, sorted; empty where the folder is absent."""
    return sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.is_file() and path.suffix != TEMPORARY_SUFFIX
    )


def remove_tree(folder: str | Path) -> None:
    """Delete a folder and what is in it; a folder that is absent is fine."""
    target = Path(folder)
    if target.exists():
        shutil.rmtree(target)
