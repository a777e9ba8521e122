"""The committed table of a benchmark: one section for each part, which is told as it was measured.

A section names the command, the machine and the seconds it was taken with, so that parts may be
measured on different days; one that was not measured again stays as it stands. A measure ends in
its kind, `<whose>, <kind>`: what has figures of the same kinds is compared in one table, a row for
each; a figure with a reference, or with no like beside it, is a line of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grove.runtime.files import write_text

VERDICTS = {True: "yes", False: "no", None: ""}
HEADING = re.compile(r"^## (?P<part>\S+)\n", re.MULTILINE)
Figures = Sequence[Mapping[str, Any]]


def put_section(
    table: Path, part: str, section: str, *, name: str, parts: Sequence[str], legend: str
) -> None:
    """Put the figures of a part in the place of its former ones; those of other parts stay.

    What the benchmark has no part for any more goes.

    Args:
        table: file to write; one that is not there is made.
        part: whose figures they are.
        section: as `render_section` wrote it.
        name: of the benchmark.
        parts: names of all its parts.
        legend: what the words in its rows mean.
    """
    written = read_sections(table.read_text(encoding="utf-8")) if table.is_file() else {}
    sections = {**written, part: section}
    not_run = [part for part in parts if part not in sections]
    told = [f"# Benchmark `{name}`", legend.strip()]
    told += [f"Not run: {', '.join(not_run)}."] if not_run else []
    told += [f"## {part}\n\n{sections[part]}" for part in parts if part in sections]
    write_text(table, "\n\n".join(paragraph for paragraph in told if paragraph) + "\n")


def render_section(command: str, ended: Mapping[str, Any]) -> str:
    """One part, without its heading.

    Args:
        command: that runs it.
        ended: its `seconds`, `machine` and `rows`.

    Returns:
        How it was measured, then its tables.
    """
    machine = ", ".join(f"{key} {value}" for key, value in ended["machine"].items())
    told = [f"`{command}` · {ended['seconds']:,.0f} s · {machine}", *_tables(ended["rows"])]
    return "\n\n".join(told)


def read_sections(text: str) -> dict[str, str]:
    """Sections of a file by part, without their headings; none of a file of another form."""
    _, *told = HEADING.split(text)
    return {part: section.strip() for part, section in zip(told[::2], told[1::2], strict=True)}


def _tables(rows: Figures) -> Iterator[str]:
    """Tables of figures of one kind first, then the list of all others."""
    by_kind: dict[tuple[str, ...], dict[str, Figures]] = {}
    for (whose, unit), figures in _by_subject(rows).items():
        kinds = tuple(_split(row)[1] for row in figures)
        by_kind.setdefault((unit, *kinds), {})[whose] = figures
    alone = [row for row in rows if row["reference"]]
    for (unit, *kinds), figures_of in by_kind.items():
        if len(kinds) > 1 and len(figures_of) > 1:
            yield _compared(unit, kinds, figures_of)
        else:
            alone += [row for figures in figures_of.values() for row in figures]
    if alone:
        yield _listed(sorted(alone, key=rows.index))


def _by_subject(rows: Figures) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Figures without a reference by whose they are, and by unit."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if not row["reference"]:
            found.setdefault((_split(row)[0], row["unit"]), []).append(row)
    return found


def _split(row: Mapping[str, Any]) -> tuple[str, str]:
    """Whose a figure is, and of which kind."""
    whose, _, kind = row["measure"].rpartition(", ")
    return whose, kind


def _compared(unit: str, kinds: Sequence[str], figures_of: Mapping[str, Figures]) -> str:
    lines = [f"| {unit} | {' | '.join(kinds)} |", "|---|" + "--:|" * len(kinds)]
    for whose, figures in figures_of.items():
        lines.append(f"| {whose} | {' | '.join(_cell(row) for row in figures)} |")
    return "\n".join(lines)


def _cell(row: Mapping[str, Any]) -> str:
    judged = f" ({row['goal']}: {VERDICTS[row['met']]})" if row["goal"] else ""
    return f"{row['value']:.4g}{judged}"


def _listed(rows: Figures) -> str:
    lines = ["| measure | value | unit | reference | goal | met |", "|---|--:|---|---|---|---|"]
    for row in rows:
        told = (row["unit"], row["reference"], row["goal"], VERDICTS[row["met"]])
        lines.append(f"| {row['measure']} | {row['value']:.4g} | {' | '.join(told)} |")
    return "\n".join(lines)
