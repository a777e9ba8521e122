"""Rows of a benchmark's result, and the JSON file that keeps them.

`results/<name>.json` holds command, seconds, machine and rows of the last measurement of each part,
and the conclusion, which is written by hand. `table` generates the committed Markdown from it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from grove.runtime.files import write_text

Result = dict[str, Any]
"""`name`, `conclusion` (sentences) and `parts`: by part its `command`, `seconds`, `machine` and
`rows`."""


@dataclass(frozen=True)
class Row:
    """One measured figure."""

    measure: str
    value: float
    unit: str
    reference: str = ""
    goal: str = ""
    met: bool | None = None
    system: str = ""
    """Model or list that the figure is of; empty where the figure is not a metric of a list."""
    data: str = ""
    """Split and segment that the lists were evaluated on."""
    metric: str = ""


def metric_row(system: str, data: str, metric: str, value: float) -> Row:
    """A metric of one system's lists on one data set.

    Example:
        >>> metric_row("DSSM", "Beauty", "HR@50", 0.2).measure
        'DSSM, Beauty, HR@50'
    """
    measure = f"{system}, {data}, {metric}"
    return Row(measure, value, "share", system=system, data=data, metric=metric)


def row_as_json(row: Row) -> dict[str, Any]:
    """Fields of a row that differ from their default.

    Example:
        >>> row_as_json(Row("wall", 3.0, "s"))
        {'measure': 'wall', 'value': 3.0, 'unit': 's'}
    """
    kept = [
        field.name
        for field in fields(row)
        if field.default is MISSING or getattr(row, field.name) != field.default
    ]
    return {name: getattr(row, name) for name in kept}


def rows_of(part: Mapping[str, Any]) -> list[Row]:
    """Rows of one part of a result."""
    return [Row(**row) for row in part["rows"]]


def read_result(file: Path, name: str) -> Result:
    """Read the result of a benchmark; without a file, one without parts."""
    if not file.is_file():
        return {"name": name, "conclusion": [], "parts": {}}
    result: Result = json.loads(file.read_text(encoding="utf-8"))
    return result


def write_result(file: Path, result: Result) -> None:
    """Write a result, one row per line, so that a changed figure is a changed line."""
    write_text(str(file), _dumps(result) + "\n")


def put_part(
    result: Result, part: str, measured: Mapping[str, Any], parts: Sequence[str]
) -> Result:
    """Replace one part of a result; the others stay, in the order of the benchmark's parts.

    Args:
        result: of earlier measurements.
        part: name of the part.
        measured: its command, seconds, machine and rows.
        parts: names of all parts; what is none of them is dropped.
    """
    known = {**result["parts"], part: dict(measured)}
    return {**result, "parts": {name: known[name] for name in parts if name in known}}


def _dumps(result: Result) -> str:
    """JSON in which every row, sentence and machine is a line."""
    parts = []
    for name, part in result["parts"].items():
        lines = [f"   {_line(key)}: {_line(part[key])}," for key in part if key != "rows"]
        rows = ",\n".join(f"    {_line(row)}" for row in part["rows"])
        body = "\n".join([*lines, f'   "rows": [\n{rows}\n   ]'])
        parts.append(f"  {_line(name)}: {{\n{body}\n  }}")
    conclusion = ",\n".join(f"  {_line(sentence)}" for sentence in result["conclusion"])
    top = [
        f' "name": {_line(result["name"])}',
        f' "conclusion": [\n{conclusion}\n ]' if conclusion else ' "conclusion": []',
        ' "parts": {\n' + ",\n".join(parts) + "\n }",
    ]
    return "{\n" + ",\n".join(top) + "\n}"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
