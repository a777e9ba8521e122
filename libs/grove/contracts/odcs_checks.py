"""Parsing of the `quality` blocks of an ODCS file into checks.

`required: true` implies a `not_null` check, which is therefore not written again: `fail` in a
table, `warn` in a feed, whose invalid rows are quarantined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grove.contracts.contract import Check, CheckKind, Severity
from grove.contracts.problems import Problems

SEVERITIES: dict[str, Severity] = {"error": "fail", "warning": "warn"}
_KEYS = (
    "name", "description", "metric", "arguments", "severity", "dimension", "unit", "mustBe",
    "mustBeLessOrEqualTo",
)  # fmt: skip
_REQUIRED = ("name", "metric", "severity")
_KIND_BY_ARGUMENT: dict[str, CheckKind] = {
    "validValues": "values",
    "pattern": "pattern",
    "minimum": "range",
    "maximum": "range",
    "minLength": "length",
    "maxLength": "length",
    "minItems": "items",
    "maxItems": "items",
    "minNorm": "norm",
    "maxNorm": "norm",
    "sameLengthAs": "same_length",
}
"""Kind of an `invalidValues` check, by the argument that defines an invalid value."""


def read_checks(
    table: Mapping[str, Any],
    properties: Sequence[Mapping[str, Any]],
    *,
    is_feed: bool,
    problems: Problems,
) -> tuple[Check, ...]:
    """All checks of a dataset: `not_null` first, then keys, then the checks of each column."""
    keys = problems.mappings(table.get("quality", []), where="schema.quality")
    checks = [*_required_columns(properties, "warn" if is_feed else "fail")]
    checks += [_check(each, None, problems) for each in keys]
    for column in properties:
        name = str(column.get("name"))
        quality = problems.mappings(column.get("quality", []), where=f"column {name}.quality")
        checks += [_check(each, name, problems) for each in quality]
    return tuple(checks)


def _required_columns(
    properties: Sequence[Mapping[str, Any]], severity: Severity
) -> Iterator[Check]:
    for column in properties:
        if column.get("required") is True:
            name = str(column.get("name"))
            yield Check(
                name=f"{name}_not_null", kind="not_null", severity=severity, columns=(name,)
            )


def _check(values: Mapping[str, Any], column: str | None, problems: Problems) -> Check:
    where = f"check {values.get('name')}"
    problems.check_keys(values, known=_KEYS, required=_REQUIRED, where=where)
    problems.check_value(values, "severity", tuple(SEVERITIES), where=where)
    arguments = values.get("arguments", {})
    kind = _kind(values, arguments, column, problems)
    return Check(
        name=str(values.get("name")),
        kind=kind,
        severity=SEVERITIES.get(str(values.get("severity")), "fail"),
        columns=_columns(kind, arguments, column),
        values=tuple(str(value) for value in arguments.get("validValues", ())),
        minimum=_bound(arguments, "min", problems, where),
        maximum=_bound(arguments, "max", problems, where),
        pattern=arguments.get("pattern"),
        tolerated_share=_tolerated_share(values, problems),
    )


def _kind(
    values: Mapping[str, Any], arguments: Mapping[str, Any], column: str | None, problems: Problems
) -> CheckKind:
    where = f"check {values.get('name')}"
    if column is None:
        problems.check_value(values, "metric", ("duplicateValues",), where=where)
        problems.check_keys(arguments, known=("properties",), required=("properties",), where=where)
        return "unique"
    problems.check_value(values, "metric", ("invalidValues", "nullValues"), where=where)
    if values.get("metric") == "nullValues":
        problems.check_keys(arguments, known=(), required=(), where=where)
        return "not_null"
    problems.check_keys(arguments, known=tuple(_KIND_BY_ARGUMENT), required=(), where=where)
    kinds = {_KIND_BY_ARGUMENT[name] for name in arguments if name in _KIND_BY_ARGUMENT}
    if len(kinds) != 1:
        problems.add(where, expected="arguments of one kind", found=", ".join(arguments) or "none")
        return "not_null"
    return kinds.pop()


def _columns(kind: CheckKind, arguments: Mapping[str, Any], column: str | None) -> tuple[str, ...]:
    if column is None:
        return tuple(arguments.get("properties", ()))
    if kind == "same_length":
        return (column, str(arguments["sameLengthAs"]))
    return (column,)


def _bound(
    arguments: Mapping[str, Any], prefix: str, problems: Problems, where: str
) -> float | None:
    for name, value in arguments.items():
        if name.startswith(prefix):
            if isinstance(value, int | float):
                return float(value)
            problems.add(f"{where}.{name}", expected="a number", found=repr(value))
    return None


def _tolerated_share(values: Mapping[str, Any], problems: Problems) -> float:
    where = f"check {values.get('name')}"
    if "mustBeLessOrEqualTo" not in values:
        problems.check_value(values, "mustBe", (0,), where=where)
        if "mustBe" not in values:
            problems.add(where, expected="mustBe: 0 or mustBeLessOrEqualTo", found="neither")
        return 0.0
    problems.check_value(values, "unit", ("percent",), where=where)
    percent = values["mustBeLessOrEqualTo"]
    if not isinstance(percent, int | float) or not 0 < percent < 100 or "unit" not in values:
        problems.add(where, expected="a percentage with unit: percent", found=repr(percent))
        return 0.0
    return percent / 100
