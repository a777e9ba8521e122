"""Budgets of every file, function and class, read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = ("libs/grove", "jobs", "dags", "infra/local", "infra/airflow_plugins")
FILES = sorted(file for folder in FOLDERS for file in (REPOSITORY / folder).rglob("*.py"))
TERMINAL = "libs/grove/runtime/terminal.py"
"""The only library module that prints to the terminal."""
EDGE_OF_A_JOB = "libs/grove/runtime/job.py"
"""The module that turns every exception of a job into an exit code."""
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
    "Generic",
    "Module",
    "NamedTuple",
    "Protocol",
    "SparkSubmitOperator",
    "TypedDict",
}
"""Permitted base classes, besides those that refine these without adding reuse."""
REFINED = {"GroveError", "DataError", "Section", "TrainingSettings", "LogRecord", "Formatter"}


Function = ast.FunctionDef | ast.AsyncFunctionDef
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def functions() -> Iterator[tuple[str, Function]]:
    """Every function of the project with its file and line."""
    for file in FILES:
        for node in ast.walk(TREES[file]):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{relative(file)}:{node.lineno} {node.name}", node


def code_lines(function: Function) -> int:
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


def report(offenders: Iterable[str]) -> None:
    """One case per rule; it lists every offender at once."""
    found = list(offenders)
    assert not found, "\n".join(["", *found])


def classes(file: Path) -> Iterator[tuple[str, ast.ClassDef]]:
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.ClassDef):
            yield f"{relative(file)}:{node.lineno} {node.name}", node


def test_files_were_found() -> None:
    assert len(FILES) > 100


def test_files_are_short() -> None:
    lines = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in FILES}
    report(
        f"{relative(file)} has {count} lines: split it by what it does"
        for file, count in lines.items()
        if count > FILE_LINES
    )


def test_functions_are_short() -> None:
    report(
        f"{where} has {code_lines(function)} lines"
        for where, function in functions()
        if code_lines(function) > FUNCTION_LINES
    )


def arguments_of(function: Function) -> tuple[list[ast.arg], list[ast.arg]]:
    """Positional and keyword-only arguments besides `self`."""
    positional = [one for one in function.args.args if one.arg not in ("self", "cls")]
    return positional, function.args.kwonlyargs


def test_functions_take_few_arguments() -> None:
    offenders = []
    for where, function in functions():
        positional, keyword_only = arguments_of(function)
        if len(positional) > POSITIONAL_ARGUMENTS:
            offenders.append(f"{where} takes {len(positional)} positional arguments")
        # A network is constructed from plain values, not from an object that packs them.
        is_network = function.name == "__init__" and "/network.py:" in where
        if len(positional) + len(keyword_only) > ARGUMENTS and not is_network:
            offenders.append(f"{where} takes {len(positional) + len(keyword_only)} arguments")
    report(offenders)


def test_only_a_terminal_program_prints() -> None:
    report(
        f"{relative(file)}:{node.lineno} prints: log instead"
        for file in FILES
        if "infra" not in file.relative_to(REPOSITORY).parts and relative(file) != TERMINAL
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Call) and name_of(node.func) == "print"
    )


def test_classes_do_not_inherit_for_reuse() -> None:
    report(
        f"{where} inherits from {name_of(base)}: compose instead"
        for file in FILES
        for where, node in classes(file)
        for base in node.bases
        if name_of(base) not in BASES | REFINED
    )


def is_thawed(decorator: ast.expr) -> bool:
    """Whether a decorator makes a dataclass that is not frozen."""
    if not isinstance(decorator, ast.Call):
        return name_of(decorator) == "dataclass"
    frozen = {keyword.arg: keyword.value for keyword in decorator.keywords}.get("frozen")
    is_frozen = isinstance(frozen, ast.Constant) and frozen.value is True
    return name_of(decorator.func) == "dataclass" and not is_frozen


def test_dataclasses_are_frozen() -> None:
    report(
        f"{where} is not frozen"
        for file in FILES
        for where, node in classes(file)
        if any(map(is_thawed, node.decorator_list))
    )


def test_no_file_has_a_generic_name() -> None:
    empty = {"utils", "util", "helpers", "common", "misc", "base", "manager"}
    report(
        relative(file)
        for file in FILES
        if empty & {part.removesuffix(".py") for part in file.relative_to(REPOSITORY).parts}
    )


def test_only_the_edge_of_a_job_catches_every_exception() -> None:
    broad = [
        (relative(file), name_of(node.type) if node.type is not None else "everything")
        for file in FILES
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or name_of(node.type) in ("Exception", "BaseException"))
    ]
    assert broad == [(EDGE_OF_A_JOB, "Exception")]
