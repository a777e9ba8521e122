"""A copy of the project's tree, in which a test follows a recipe of CONTRIBUTING."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from infra.local.jobs import job_environment

REPOSITORY = Path(__file__).resolve().parents[2]
AIRFLOW = REPOSITORY / ".venv" / "airflow" / "bin" / "python"
"""Python of the Airflow environment, which tests DAGs."""


def copy_tree(folder: Path, parts: Sequence[str]) -> Path:
    """Copy some folders and files of the project into a new folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in parts:
        if (REPOSITORY / part).is_file():
            shutil.copy(REPOSITORY / part, folder / part)
            continue
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / part, folder / part, ignore=ignored)
    return folder


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text that a file has exactly once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has {text.count(old)} times {old!r}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def add(file: Path, text: str) -> None:
    """Write a new file, and the folders above it."""
    assert not file.exists(), f"{file} exists"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def python(tree: Path, *words: str, interpreter: str = sys.executable) -> str:
    """Run Python in a tree; tests that it imports and does not have are the repository's."""
    done = _run(tree, *words, interpreter=interpreter)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def failing_python(tree: Path, *words: str) -> str:
    """Output of a Python program that must fail in a tree."""
    done = _run(tree, *words, interpreter=sys.executable)
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def _run(tree: Path, *words: str, interpreter: str) -> subprocess.CompletedProcess[str]:
    folders = (tree / "libs", tree / "dags", tree, REPOSITORY)
    path = os.pathsep.join(str(folder) for folder in folders)
    return subprocess.run(
        [interpreter, *words],
        cwd=tree,
        env={**job_environment(), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def changed_files(tree: Path) -> set[str]:
    """Paths of the files of a copy that the repository lacks, or has with another content."""
    files = (file for file in tree.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {
        str(file.relative_to(tree))
        for file in files
        if not (REPOSITORY / file.relative_to(tree)).is_file()
        or (REPOSITORY / file.relative_to(tree)).read_bytes() != file.read_bytes()
    }


def unnamed_files(tree: Path, recipe: str) -> set[str]:
    """Changed files of a copy that a row of CONTRIBUTING does not name.

    Args:
        tree: the copy in which the recipe was followed.
        recipe: first cell of the row, such as `a source`.
    """
    patterns = recipe_paths(recipe)
    return {
        file
        for file in changed_files(tree)
        if not any(fnmatchcase(file, pattern) for pattern in patterns)
    }


def recipe_paths(recipe: str) -> list[str]:
    """Paths that a row of CONTRIBUTING names, as patterns: `<name>` stands for anything."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {recipe} |"))
    paths = re.findall(r"[`(]((?:libs|schemas|infra|dags|jobs|tests)/[^` )]*|README\.md)[`)]", row)
    patterns = [re.sub(r"<\w+>", "*", path) for path in paths]
    return [f"{path}*" if path.endswith("/") else path for path in patterns]
