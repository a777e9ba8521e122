"""Nothing in the project names one machine, one person's folder, or a package host."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "a home folder": re.compile(r"/(?:root|home/[a-z]+|Users/[A-Za-z]+)/"),
    "a package host": re.compile(
        r"https?://[^\s\"')]*(?:py" + r"pi|python" + r"hosted|repo1|mav" + r"en|anaconda)", re.I
    ),
}
TEXT = {".py", ".md", ".yaml", ".toml", ".in", ".lock", ".txt", ".cfg", ".json", ""}


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    files = [REPOSITORY / name for name in names]
    return [file for file in files if file.is_file() and file.suffix in TEXT]


def test_no_file_names_a_machine() -> None:
    files = tracked()
    assert len(files) > 100
    found = [
        f"{file.relative_to(REPOSITORY)}:{number} names {what}: {line.strip()[:80]}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        for what, pattern in FORBIDDEN.items()
        if pattern.search(line)
    ]
    assert not found, "\n".join(found)


def test_locks_are_hashed_and_pinned() -> None:
    folder = REPOSITORY / "infra/requirements"
    locks = sorted(folder.glob("*.lock"))
    assert locks
    assert {lock.stem for lock in locks} == {file.stem for file in folder.glob("*.in")}
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        packages = re.findall(r"^[a-z0-9][\w.\[\]-]*(.*)$", text, re.M)
        assert packages, f"{lock.name} is empty"
        assert all(rest.startswith("==") for rest in packages), f"{lock.name}: not pinned"
        assert text.count("--hash=sha256:") >= len(packages), f"{lock.name}: not hashed"


def test_no_line_ends_in_whitespace() -> None:
    """The commit hook of that name checks changed files only."""
    found = [
        f"{file.relative_to(REPOSITORY)}:{number}"
        for file in tracked()
        for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1)
        if line != line.rstrip()
    ]
    assert not found, "\n".join(found)


def test_every_yaml_file_parses() -> None:
    files = [file for file in tracked() if file.suffix == ".yaml"]
    assert len(files) > 20
    for file in files:
        assert yaml.safe_load(file.read_text(encoding="utf-8")), file.name


def git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout


def test_no_link_is_committed() -> None:
    """Its target is a path of one machine, and checking it out replaces a folder of its name."""
    links = [line for line in git("ls-files", "--stage").splitlines() if line.startswith("120000")]
    assert links == []


def test_folders_that_commands_fill_are_ignored_as_links_too() -> None:
    """A pattern that ends in a slash ignores a folder, but not a link to one."""
    patterns = (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {".venv", "var", "build"} <= set(patterns)
