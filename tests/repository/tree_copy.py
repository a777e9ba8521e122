"""A copy of the project's tree, in which a test follows a recipe of CONTRIBUTING."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def copy_tree(folder: Path, parts: Sequence[str]) -> Path:
    """Copy some folders of the project into a new one, and return it."""
    for part in parts:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / part, folder / part, ignore=ignored)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that a file has exactly once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has {text.count(old)} times {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def python(tree: Path, *words: str) -> str:
    """Run Python in a tree; tests that it imports are those of the repository."""
    path = os.pathsep.join(str(folder) for folder in (tree / "libs", tree, REPOSITORY))
    done = subprocess.run(
        [sys.executable, *words],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
