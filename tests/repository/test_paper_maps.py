"""Every system has a paper map, and every name in a map exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "libs" / "grove"
SYSTEMS = sorted(folder for folder in (LIBRARY / "systems").iterdir() if folder.is_dir())
NAMED = re.compile(r"`([\w/]+\.py)(?::([\w.]+))?`")
COLUMNS = ["paper", "symbol", "code", "deviation and why", "test", "benchmark"]
TRAINING_FILES = {"network.py", "objective.py", "train.py", "README.md"}


def systems() -> list[Path]:
    return [folder for folder in SYSTEMS if (folder / "__init__.py").is_file()]


def text_of(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def rows_of(folder: Path) -> list[list[str]]:
    """Cells of the paper map, heading first; a pipe inside a cell is written `\\|`."""
    lines = text_of(folder).partition("## Paper map")[2].partition("\n## ")[0].splitlines()
    rows = [line.strip("|").replace(r"\|", "∣") for line in lines if line.startswith("|")]
    return [[cell.strip() for cell in row.split("|")] for row in rows]


def file_of(path: str) -> Path:
    return (REPOSITORY if path.startswith("tests/") else LIBRARY) / path


@cache
def names_in(file: Path) -> frozenset[str]:
    """Functions, classes and methods of a module; methods as `Class.method`."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, ast.FunctionDef))
            found.update(f"{node.name}.{method.name}" for method in methods)
    return frozenset(found)


@pytest.mark.parametrize("folder", systems(), ids=lambda folder: folder.name)
def test_a_system_has_the_files_of_a_system(folder):
    assert {file.name for file in folder.iterdir()} >= TRAINING_FILES
    assert {"encode.py", "search.py"} & {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("folder", systems(), ids=lambda folder: folder.name)
def test_every_name_in_a_map_exists(folder):
    named = [reference for row in rows_of(folder) for reference in NAMED.findall("|".join(row))]
    assert len(named) > 5
    missing = [
        f"{path}:{name}" if name else path
        for path, name in named
        if not file_of(path).is_file() or (name and name not in names_in(file_of(path)))
    ]
    assert missing == []


@pytest.mark.parametrize("folder", systems(), ids=lambda folder: folder.name)
def test_every_row_of_a_map_names_its_code_and_its_test(folder):
    heading, _, *rows = rows_of(folder)
    assert heading == COLUMNS
    for row in rows:
        assert len(row) == len(COLUMNS), row
        paper, _, code, deviation, test, benchmark = row
        assert paper, row
        assert deviation, row
        assert any(name for _, name in NAMED.findall(code)), row
        assert all(path.startswith("tests/") for path, _ in NAMED.findall(test)), row
        assert NAMED.findall(test), row
        assert all(path.startswith("tests/bench") for path, _ in NAMED.findall(benchmark)), row


@pytest.mark.parametrize("folder", systems(), ids=lambda folder: folder.name)
def test_a_map_states_what_is_not_built_and_its_links_are_valid(folder):
    text = text_of(folder)
    assert re.findall(r"^- ", text.partition("## Not built yet")[2], re.M)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (folder / target).exists(), target


def test_every_system_is_in_the_table_of_systems():
    text = text_of(LIBRARY / "systems")
    assert systems()
    for folder in systems():
        assert f"({folder.name}/README.md)" in text
