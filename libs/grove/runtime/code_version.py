"""Fingerprint of the running code, for releases and reports; works without a Git repository."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parents[3]
CODE_FOLDERS = ("libs/grove", "jobs", "schemas")
CODE_ENDINGS = frozenset({".py", ".yaml"})


@cache
def code_version(root: Path = PROJECT_ROOT) -> str:
    """Hash the names and contents of the code and the contracts.

    Args:
        root: folder of the project.

    Returns:
        The first 12 digits of a SHA-256; equal code has an equal version on every machine.
    """
    digest = hashlib.sha256()
    files = (path for folder in CODE_FOLDERS for path in (root / folder).rglob("*"))
    for path in sorted(file for file in files if file.suffix in CODE_ENDINGS):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]
