"""The committed table of a benchmark: Markdown generated from its result in JSON.

The conclusion is first. Each part has a section with the command, machine and seconds of its
measurement, so parts may be measured on different days. Metrics of lists are one table per data
set, systems × metrics. Of the other figures, those that end in the same kinds (`<subject>, <kind>`)
are one table with a row per subject; what has a reference, or nothing comparable, is a line of a
list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.benchmarks.rows import Result, Row, rows_of

VERDICTS = {True: "yes", False: "no", None: ""}


def render_result(result: Result, *, parts: Sequence[str], legend: str) -> str:
    """The whole table.

    Args:
        result: of the benchmark; see `rows`.
        parts: names of all its parts, in order.
        legend: what the words in its rows mean.
    """
    measured = result["parts"]
    not_run = [part for part in parts if part not in measured]
    conclusion = "\n".join(f"- {sentence}" for sentence in result["conclusion"])
    paragraphs = [f"# Benchmark `{result['name']}`"]
    paragraphs += [f"## Conclusion\n\n{conclusion}"] if conclusion else []
    paragraphs += [f"## Terms\n\n{legend.strip()}"] if legend else []
    paragraphs += [f"Not run: {', '.join(not_run)}."] if not_run else []
    paragraphs += [
        f"## {part}\n\n{render_part(measured[part])}" for part in parts if part in measured
    ]
    return "\n\n".join(paragraphs) + "\n"


def render_part(part: Mapping[str, Any]) -> str:
    """One part, without its heading: how it was measured, then its tables."""
    machine = ", ".join(f"{key} {value}" for key, value in part["machine"].items())
    seconds = f"{part['seconds']:,.0f} s{part.get('seconds_note', '')}"
    return "\n\n".join([f"`{part['command']}` · {seconds} · {machine}", *_tables(rows_of(part))])


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    """Metrics by data set, then tables of figures of one kind, then the list of all others."""
    metrics: dict[str, list[Row]] = {}
    others: list[Row] = []
    for row in rows:
        (metrics.setdefault(row.data, []) if row.data else others).append(row)
    for data, found in metrics.items():
        yield f"### {data}"
        yield _systems_by_metrics(found)
    if metrics and others:
        yield "### Other figures"
    yield from _other_tables(others)


def _systems_by_metrics(rows: Sequence[Row]) -> str:
    """One data set: a line per system, a column per metric."""
    names = list(dict.fromkeys(row.metric for row in rows))
    by_system: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_system.setdefault(row.system, {})[row.metric] = row
    lines = [_header("system", names)]
    for system, found in by_system.items():
        cells = [_cell(found[name]) if name in found else "" for name in names]
        lines.append(f"| {system} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _other_tables(rows: Sequence[Row]) -> Iterator[str]:
    by_kind: dict[tuple[str, ...], dict[str, list[Row]]] = {}
    for (subject, unit), found in _by_subject(rows).items():
        kinds = tuple(_split(row)[1] for row in found)
        by_kind.setdefault((unit, *kinds), {})[subject] = found
    alone = [row for row in rows if row.reference]
    for (unit, *kinds), found_of in by_kind.items():
        if len(kinds) > 1 and len(found_of) > 1:
            yield _compared(unit, kinds, found_of)
        else:
            alone += [row for found in found_of.values() for row in found]
    if alone:
        yield _listed(sorted(alone, key=rows.index))


def _by_subject(rows: Sequence[Row]) -> dict[tuple[str, str], list[Row]]:
    """Figures without a reference, by subject and unit."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not row.reference:
            found.setdefault((_split(row)[0], row.unit), []).append(row)
    return found


def _split(row: Row) -> tuple[str, str]:
    """Subject and kind of a figure."""
    subject, _, kind = row.measure.rpartition(", ")
    return subject, kind


def _compared(unit: str, kinds: Sequence[str], found_of: Mapping[str, Sequence[Row]]) -> str:
    lines = [_header(unit, kinds)]
    for subject, found in found_of.items():
        lines.append(f"| {subject} | {' | '.join(_cell(row) for row in found)} |")
    return "\n".join(lines)


def _header(first: str, columns: Sequence[str]) -> str:
    return f"| {first} | {' | '.join(columns)} |\n|---|" + "--:|" * len(columns)


def _cell(row: Row) -> str:
    verdict = f" ({row.goal}: {VERDICTS[row.met]})" if row.goal else ""
    return f"{row.value:.4g}{verdict}"


def _listed(rows: Sequence[Row]) -> str:
    lines = ["| measure | value | unit | reference | goal | met |", "|---|--:|---|---|---|---|"]
    for row in rows:
        cells = (row.unit, row.reference, row.goal, VERDICTS[row.met])
        lines.append(f"| {row.measure} | {row.value:.4g} | {' | '.join(cells)} |")
    return "\n".join(lines)
