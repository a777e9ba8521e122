"""Atomic writes: a reader sees a file whole or not at all, on a file system with atomic renames.

`grove.runtime` has the same for jobs. A release must not depend on it, because a server that
reads releases has neither Spark nor Delta.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEMPORARY_SUFFIX = ".tmp"


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object as JSON with sorted keys, flushed to the disk before the rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(value, file, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    rename(beside, path)


def rename(source: Path, target: Path) -> None:
    """Rename, and flush the folder so that the new name survives a power failure."""
    source.replace(target)
    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
