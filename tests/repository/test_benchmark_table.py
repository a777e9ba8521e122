"""A benchmark's table holds each part as it was measured last, and figures of one kind in rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks.table import put_section, read_sections, render_section

PARTS = ("first", "second")
MACHINE = {"cores": 2, "torch": "2.13.0"}


def figure(measure: str, value: float, unit: str = "share", **told: Any) -> dict[str, Any]:
    row = {"reference": "", "goal": "", "met": None, **told}
    return {"measure": measure, "value": value, "unit": unit, **row}


def section(*rows: dict[str, Any]) -> str:
    return render_section("make it", {"seconds": 1_234.4, "machine": MACHINE, "rows": rows})


def test_a_section_says_how_it_was_measured() -> None:
    told = section(figure("items", 3, "items")).splitlines()
    assert told[0] == "`make it` · 1,234 s · cores 2, torch 2.13.0"
    assert told[-1] == "| items | 3 | items |  |  |  |"


def test_figures_of_one_kind_stand_in_a_row_for_each_they_are_told_of() -> None:
    told = section(
        figure("one tree, a shop, H@50", 0.25),
        figure("one tree, a shop, H@100", 0.5, goal="≥ 0.6", met=False),
        figure("training", 7, "s", goal="≤ 9", met=True),
        figure("two trees, a shop, H@50", 1 / 3),
        figure("two trees, a shop, H@100", 0.75, goal="≥ 0.6", met=True),
        figure("two over one, H@100", 1.5, "ratio", reference="paper 1.39"),
    )
    _, compared, alone = told.split("\n\n")
    assert compared.splitlines() == [
        "| share | H@50 | H@100 |",
        "|---|--:|--:|",
        "| one tree, a shop | 0.25 | 0.5 (≥ 0.6: no) |",
        "| two trees, a shop | 0.3333 | 0.75 (≥ 0.6: yes) |",
    ]
    assert alone.splitlines()[2:] == [
        "| training | 7 | s |  | ≤ 9 | yes |",
        "| two over one, H@100 | 1.5 | ratio | paper 1.39 |  |  |",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [figure("one, H@50", 1.0), figure("two, H@100", 1.0)],
        [figure("one, H@50", 1.0), figure("one, H@100", 1.0)],
        [figure("one, p50", 1.0, "ms"), figure("one, share", 1.0), figure("two, p50", 2.0, "s")],
    ],
)
def test_what_has_nothing_like_it_is_listed_in_its_order(rows: list[dict[str, Any]]) -> None:
    _, alone = section(*rows).split("\n\n")
    listed = [line.split(" | ")[0].removeprefix("| ") for line in alone.splitlines()[2:]]
    assert listed == [row["measure"] for row in rows]


def test_a_part_that_is_measured_again_changes_its_own_section_alone(tmp_path: Path) -> None:
    table = tmp_path / "results" / "trees.md"

    def put(part: str, value: float, legend: str = "", parts: tuple[str, ...] = PARTS) -> str:
        told = section(figure(part, value))
        put_section(table, part, told, name="trees", parts=parts, legend=legend)
        return table.read_text(encoding="utf-8")

    top = "# Benchmark `trees`\n\nWhat it says.\n\nNot run: first.\n\n## second\n"
    assert put("second", 2, legend="What it says.").startswith(top)
    assert put("first", 1).startswith("# Benchmark `trees`\n\n## first\n")
    measured = {part: section(figure(part, value)) for part, value in (("first", 1), ("second", 3))}
    assert read_sections(put("second", 3)) == measured
    assert list(read_sections(put("third", 4, parts=("third", "second")))) == ["third", "second"]
