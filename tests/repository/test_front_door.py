"""Documented commands work: README and CONTRIBUTING name real commands, CI calls make."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from grove.datasets import SYSTEMS

REPOSITORY = Path(__file__).resolve().parents[2]
MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))


def commands_of(document: str) -> set[str]:
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    return set(re.findall(r"\bmake ([a-z-]+)\b", text))


def test_every_target_is_explained() -> None:
    phony = set(re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.M))
    assert phony == TARGETS


@pytest.mark.parametrize("target", sorted(TARGETS - {"help", "setup"}))
def test_every_command_works_on_a_fresh_clone(target: str) -> None:
    """It runs the set-up first, which prints nothing if everything is installed."""
    first = dry_run(target).splitlines()[0]
    assert first.endswith("infra.local.bootstrap --quiet"), f"make {target} begins with {first}"


def test_setup_itself_reports_what_is_installed() -> None:
    assert "--quiet" not in dry_run("setup")


def test_typed_values_reach_the_command_unchanged() -> None:
    query = "kid's $HOME mug, `red`"
    command = dry_run("recommend", f"QUERY={query}").splitlines()[-1]
    words = shlex.split(command)
    assert words[words.index("--query") + 1] == query


def dry_run(*words: str) -> str:
    return subprocess.run(
        ["make", "--no-print-directory", "--dry-run", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_commands_in_the_documents_exist() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        named = commands_of(document)
        assert len(named) >= 3, f"{document} names only {named}"
        assert named <= TARGETS, f"{document} names {named - TARGETS}"


README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_readme_is_short_and_begins_with_a_command() -> None:
    lines = README.splitlines()
    assert len(lines) <= 145
    first = next(number for number, line in enumerate(lines, 1) if line.startswith("make "))
    assert first <= 25


def rows_of(section: str) -> list[list[str]]:
    """Cells of the table in a section of the README, its head left out."""
    text = README.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_every_link_in_the_documents_leads_to_a_file() -> None:
    for document in ("README.md", "CONTRIBUTING.md", "infra/README.md"):
        file = REPOSITORY / document
        for link in re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8")):
            assert (file.parent / link).exists(), f"{document} links to {link}"


def test_every_system_has_a_line_with_its_folder_decision_and_benchmark() -> None:
    models = rows_of("Models")
    folders = [re.findall(r"\(([^)]+)\)", row[3])[0] for row in models]
    systems = {f"libs/grove/systems/{system.name}/README.md" for system in SYSTEMS}
    assert set(folders) == systems
    for row in models:
        assert all(row), f"an empty cell: {row}"
        assert "infra/decisions/" in row[4], row[0]
        assert "tests/benchmarks/results/" in row[5], row[0]


def test_every_job_of_the_day_has_a_line_with_its_module() -> None:
    stages = {
        name: row[1] for row in rows_of("The stages") for name in re.findall(r"`(\w+)`", row[0])
    }
    golden = (REPOSITORY / "tests/dags/golden").glob("daily_refresh.*.txt")
    assert set(stages) == {file.stem.rpartition(".")[2] for file in golden}
    for job, module in stages.items():
        path = module.strip("`")
        assert (REPOSITORY / "libs/grove" / path).is_file(), f"{job}: {path}"
        package = "grove." + path.removesuffix(".py").replace("/", ".")
        text = (REPOSITORY / f"jobs/{job}.py").read_text(encoding="utf-8")
        imports = re.findall(r"^\s*from (grove[\w.]*) import", text, re.M)
        known = (package, package.rpartition(".")[0])
        assert any(name in known for name in imports), f"jobs/{job}.py does not import {package}"


def test_ci_calls_only_make() -> None:
    script = (REPOSITORY / ".ci/run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in script if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make test"]


def test_a_commit_is_checked_as_ci_checks_it() -> None:
    hooks = " ".join((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8").split())
    checks = [line for line in dry_run("lint").splitlines() if "bootstrap" not in line]
    assert checks
    for check in checks:
        command = check.replace("MYPYPATH=libs:dags ", "")
        assert command in hooks, f"no hook runs `{command}`"


def test_help_lists_every_target() -> None:
    answer = subprocess.run(
        ["make", "--no-print-directory"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make ([a-z-]+)", answer, re.M)) == TARGETS


def test_the_top_level_holds_only_what_belongs_there() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    folders = {name.partition("/")[0] for name in tracked if "/" in name}
    assert folders <= {"dags", "jobs", "libs", "schemas", "tests", "infra", ".ci"}


def test_paths_in_contributing_exist() -> None:
    """A path with a placeholder counts up to the folder before it."""
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:libs|schemas|infra|dags|jobs|tests)/[^` ]*)`", text)
    assert len(paths) > 20
    for path in paths:
        known = re.split(r"[^/]*[<*]", path)[0]
        assert (REPOSITORY / known).exists(), f"CONTRIBUTING.md names {path}"


def test_every_package_of_the_library_has_a_line() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| folder of `libs/grove/` |")[2].partition("\n\n")[0]
    listed = set(re.findall(r"`([\w.]+)/?`", table))
    found = {path.name for path in (REPOSITORY / "libs/grove").iterdir()}
    assert found - {"__init__.py", "__pycache__"} == listed
