"""Parsing of an ODCS v3.1.0 mapping into a `Contract`, with a list of all problems of the file.

Only the part of the standard that this project uses is accepted. Any other key is an error,
because a key that no code reads would be a guarantee that no code enforces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grove.contracts.contract import LOGICAL_TYPES, Check, Column, Contract
from grove.contracts.odcs_checks import read_checks
from grove.contracts.problems import Problems

API_VERSION = "v3.1.0"
_CONTRACT_KEYS = (
    "apiVersion", "kind", "id", "name", "version", "status", "domain", "team", "description",
    "schema", "slaProperties",
)  # fmt: skip
_OBJECT_KEYS = (
    "name", "physicalName", "physicalType", "logicalType", "description",
    "dataGranularityDescription", "properties", "quality",
)  # fmt: skip
_COLUMN_KEYS = (
    "name", "logicalType", "physicalType", "required", "partitioned", "partitionKeyPosition",
    "description", "quality", "customProperties",
)  # fmt: skip
_NUMBERS = ("int", "bigint", "float", "double")


def read_contract(values: Mapping[str, Any], problems: Problems) -> Contract:
    """Read the mapping of one contract file; every problem is added to `problems`.

    Returns:
        The contract; meaningless when `problems` is not empty.
    """
    problems.check_keys(values, known=_CONTRACT_KEYS, required=_CONTRACT_KEYS, where="contract")
    problems.check_value(values, "apiVersion", (API_VERSION,), where="contract")
    problems.check_value(values, "kind", ("DataContract",), where="contract")
    table = _only_table(values, problems)
    is_feed = table.get("physicalType") == "file"
    properties = problems.mappings(table.get("properties"), where="schema.properties")
    columns = tuple(_column(each, problems) for each in properties)
    _reject_duplicates("column", (column.name for column in columns), problems)
    checks = read_checks(table, properties, is_feed=is_feed, problems=problems)
    _reject_duplicates("check", (check.name for check in checks), problems)
    _reject_unknown_columns(checks, columns, problems)
    return Contract(
        name=str(values.get("name")),
        version=_major(values, problems),
        description=_text(values, "description", "purpose", problems),
        owner=_text(values, "team", "name", problems),
        grain=str(table.get("dataGranularityDescription")),
        is_feed=is_feed,
        partition_by=_partition_by(properties),
        retention_days=_retention(values, problems),
        columns=columns,
        checks=checks,
    )


def _only_table(values: Mapping[str, Any], problems: Problems) -> Mapping[str, Any]:
    tables = problems.mappings(values.get("schema"), where="schema")
    if len(tables) != 1:
        problems.add("schema", expected="one object", found=f"{len(tables)} objects")
        return {}
    table = tables[0]
    required = tuple(key for key in _OBJECT_KEYS if key != "quality")
    problems.check_keys(table, known=_OBJECT_KEYS, required=required, where="schema")
    problems.check_value(table, "physicalType", ("table", "file"), where="schema")
    problems.check_value(table, "logicalType", ("object",), where="schema")
    problems.check_value(table, "name", (values.get("name"),), where="schema")
    return table


def _column(values: Mapping[str, Any], problems: Problems) -> Column:
    where = f"column {values.get('name')}"
    required = ("name", "logicalType", "physicalType", "required", "description")
    problems.check_keys(values, known=_COLUMN_KEYS, required=required, where=where)
    logical, physical = str(values.get("logicalType")), str(values.get("physicalType"))
    problems.check_value(values, "logicalType", tuple(LOGICAL_TYPES), where=where)
    if logical in LOGICAL_TYPES:
        allowed = tuple(sorted(LOGICAL_TYPES[logical]))
        problems.check_value(values, "physicalType", allowed, where=where)
    problems.check_value(values, "required", (True, False), where=where)
    return Column(
        name=str(values.get("name")),
        logical_type=logical,
        physical_type=physical,
        nullable=not values.get("required"),
        meaning=str(values.get("description")),
        unit=_unit(values, physical, problems),
    )


def _unit(values: Mapping[str, Any], physical_type: str, problems: Problems) -> str | None:
    where = f"column {values.get('name')}"
    custom = problems.mappings(
        values.get("customProperties", []), where=f"{where}.customProperties"
    )
    for each in custom:
        problems.check_keys(
            each, known=("property", "value"), required=("property", "value"), where=where
        )
        problems.check_value(each, "property", ("unit",), where=where)
    if not custom:
        if physical_type.removeprefix("array<").removesuffix(">") in _NUMBERS:
            problems.add(where, expected="the custom property `unit` of a number", found="none")
        return None
    return str(custom[0].get("value"))


def _partition_by(properties: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    partitioned = [each for each in properties if each.get("partitioned")]
    partitioned.sort(key=lambda each: int(each.get("partitionKeyPosition", 0)))
    return tuple(str(each.get("name")) for each in partitioned)


def _major(values: Mapping[str, Any], problems: Problems) -> int:
    major = str(values.get("version")).partition(".")[0]
    if not major.isdigit():
        problems.add("contract.version", expected="for example 1.0.0", found=str(major))
        return 0
    return int(major)


def _text(values: Mapping[str, Any], key: str, inner: str, problems: Problems) -> str:
    section = values.get(key)
    if not isinstance(section, Mapping) or not isinstance(section.get(inner), str):
        problems.add(f"contract.{key}", expected=f"a mapping with `{inner}`", found=repr(section))
        return ""
    problems.check_keys(section, known=(inner,), required=(inner,), where=key)
    return str(section[inner]).strip()


def _retention(values: Mapping[str, Any], problems: Problems) -> int | None:
    keys = ("property", "value", "unit")
    agreements = problems.mappings(values.get("slaProperties"), where="slaProperties")
    for each in agreements:
        problems.check_keys(each, known=keys, required=keys, where="slaProperties")
        problems.check_value(each, "property", ("retention",), where="slaProperties")
        problems.check_value(each, "unit", ("d",), where="slaProperties")
    days = agreements[0].get("value") if len(agreements) == 1 else "missing"
    if days is None:
        return None
    if not isinstance(days, int) or days < 1:
        problems.add("slaProperties", expected="one retention in days, or null", found=repr(days))
        return None
    return days


def _reject_duplicates(noun: str, names: Iterable[str], problems: Problems) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            problems.add(f"{noun} {name}", expected="a name used once", found="used again")
        seen.add(name)


def _reject_unknown_columns(
    checks: Iterable[Check], columns: Iterable[Column], problems: Problems
) -> None:
    known = {column.name for column in columns}
    for check in checks:
        for name in check.columns:
            if name not in known:
                problems.add(f"check {check.name}", expected="columns above", found=name)
