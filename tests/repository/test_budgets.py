"""Budgets of every file, function and class, read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("libs/grove", "jobs", "dags", "infra/local", "infra/airflow_plugins")
FILES = sorted(file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py"))
TERMINAL = "libs/grove/runtime/terminal.py"
"""Where jobs show something to a person."""
FILE_LINES = 300
FUNCTION_LINES = 40
ARGUMENTS = 6
POSITIONAL_ARGUMENTS = 5
BASES = {
    "AirflowFailException",
    "AirflowPlugin",
    "BaseModel",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Enum",
    "Exception",
    "Module",
    "NamedTuple",
    "Protocol",
    "SparkSubmitOperator",
    "TypedDict",
}
"""What a class may inherit from besides classes that refine these without adding reuse."""
REFINED = {"GroveError", "DataError", "Section", "TrainingSettings", "LogRecord", "Formatter"}


def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, its docstring left out."""
    body = function.body
    first = body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if documented and len(body) == 1:
        return 0
    start = body[1 if documented else 0].lineno
    return (function.end_lineno or start) - start + 1


def name_of(node: ast.expr) -> str:
    if isinstance(node, ast.Subscript):
        return name_of(node.value)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "?")


def relative(file: Path) -> str:
    return str(file.relative_to(REPOSITORY))


def test_files_were_found() -> None:
    assert len(FILES) > 100


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_a_file_keeps_its_budgets(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES, f"{relative(file)} has {lines} lines: split it by what it does"
    for function in functions(file):
        where = f"{relative(file)}:{function.lineno} {function.name}"
        taken = code_lines(function)
        assert taken <= FUNCTION_LINES, f"{where} has {taken} lines"
        arguments = [
            argument
            for argument in (*function.args.args, *function.args.kwonlyargs)
            if argument.arg not in ("self", "cls")
        ]
        by_place = [one for one in function.args.args if one in arguments]
        assert len(by_place) <= POSITIONAL_ARGUMENTS, f"{where} takes {len(by_place)} by place"
        if function.name != "__init__" or "models" not in file.parts:
            assert len(arguments) <= ARGUMENTS, f"{where} has {len(arguments)} arguments"


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_only_a_terminal_program_prints(file: Path) -> None:
    if "infra" in file.relative_to(REPOSITORY).parts or relative(file) == TERMINAL:
        return
    printed = [
        node.lineno
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and name_of(node.func) == "print"
    ]
    assert not printed, f"{relative(file)} prints in lines {printed}: log instead"


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_dataclasses_are_frozen_and_classes_do_not_inherit_for_reuse(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        if not isinstance(node, ast.ClassDef):
            continue
        where = f"{relative(file)}:{node.lineno} {node.name}"
        for base in node.bases:
            name = name_of(base)
            assert name in BASES | REFINED, f"{where} inherits from {name}: compose instead"
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and name_of(decorator.func) == "dataclass":
                values = {keyword.arg: keyword.value for keyword in decorator.keywords}
                frozen = values.get("frozen")
                assert isinstance(frozen, ast.Constant), f"{where} is not frozen"
                assert frozen.value is True, f"{where} is not frozen"
            elif name_of(decorator) == "dataclass":
                pytest.fail(f"{where} is not frozen")


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_no_name_says_nothing(file: Path) -> None:
    empty = {"utils", "util", "helpers", "common", "misc", "base", "manager"}
    assert not empty & {part.removesuffix(".py") for part in file.relative_to(REPOSITORY).parts}


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_nothing_is_swallowed(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ExceptHandler):
            caught = name_of(node.type) if node.type is not None else "everything"
            assert caught not in ("everything", "Exception", "BaseException"), (
                f"{relative(file)}:{node.lineno} catches {caught}"
            )
