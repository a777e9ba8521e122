"""A benchmark's table: generated from the committed JSON, figures of one kind in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.benchmarks import run
from tests.benchmarks.rows import (
    Row,
    metric_row,
    put_part,
    read_result,
    row_as_json,
    rows_of,
    write_result,
)
from tests.benchmarks.table import render_part, render_result

PARTS = ("first", "second")
MACHINE = {"cores": 2, "torch": "2.13.0"}


def figure(measure: str, value: float, unit: str = "share", **fields: Any) -> Row:
    return Row(measure, value, unit, **fields)


def part_of(*rows: Row) -> dict[str, Any]:
    kept = [row_as_json(row) for row in rows]
    return {"command": "make it", "seconds": 1_234.4, "machine": MACHINE, "rows": kept}


def section(*rows: Row) -> str:
    return render_part(part_of(*rows))


@pytest.mark.parametrize("name", sorted(file.stem for file in run.RESULTS.glob("*.md")))
def test_the_committed_table_is_generated_from_the_committed_rows(name: str) -> None:
    file = run.RESULTS / f"{name}.json"
    table = run.render_table(run.load(name), read_result(file, name))
    assert file.with_suffix(".md").read_text(encoding="utf-8") == table


@pytest.mark.parametrize("file", sorted(run.RESULTS.glob("*.json")), ids=lambda file: file.stem)
def test_committed_rows_survive_reading_and_writing(file: Path, tmp_path: Path) -> None:
    result = read_result(file, file.stem)
    write_result(tmp_path / file.name, result)
    assert (tmp_path / file.name).read_text(encoding="utf-8") == file.read_text(encoding="utf-8")
    for part in result["parts"].values():
        assert [row_as_json(row) for row in rows_of(part)] == part["rows"]
    assert result["conclusion"]


def test_metrics_are_one_table_per_data_set() -> None:
    lines = section(
        metric_row("one", "a shop", "HR@50", 0.25),
        metric_row("one", "a shop, new items", "HR@50", 0.125),
        metric_row("two", "a shop", "HR@50", 1 / 3),
        metric_row("two", "a shop", "NDCG@10", 0.5),
        figure("training", 7, "s"),
    ).split("\n\n")
    assert lines[1:5] == [
        "### a shop",
        "| system | HR@50 | NDCG@10 |\n|---|--:|--:|\n| one | 0.25 |  |\n| two | 0.3333 | 0.5 |",
        "### a shop, new items",
        "| system | HR@50 |\n|---|--:|\n| one | 0.125 |",
    ]
    assert lines[5] == "### Other figures"
    assert lines[6].endswith("| training | 7 | s |  |  |  |")


def test_a_section_states_how_it_was_measured() -> None:
    lines = section(figure("items", 3, "items")).splitlines()
    assert lines[0] == "`make it` · 1,234 s · cores 2, torch 2.13.0"
    assert lines[-1] == "| items | 3 | items |  |  |  |"


def test_figures_of_one_kind_are_a_table_with_a_row_per_subject() -> None:
    lines = section(
        figure("one tree, a shop, p50", 0.25),
        figure("one tree, a shop, p99", 0.5, goal="≥ 0.6", met=False),
        figure("training", 7, "s", goal="≤ 9", met=True),
        figure("two trees, a shop, p50", 1 / 3),
        figure("two trees, a shop, p99", 0.75, goal="≥ 0.6", met=True),
        figure("two over one, p99", 1.5, "ratio", reference="paper 1.39"),
    )
    _, compared, alone = lines.split("\n\n")
    assert compared.splitlines() == [
        "| share | p50 | p99 |",
        "|---|--:|--:|",
        "| one tree, a shop | 0.25 | 0.5 (≥ 0.6: no) |",
        "| two trees, a shop | 0.3333 | 0.75 (≥ 0.6: yes) |",
    ]
    assert alone.splitlines()[2:] == [
        "| training | 7 | s |  | ≤ 9 | yes |",
        "| two over one, p99 | 1.5 | ratio | paper 1.39 |  |  |",
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [figure("one, H@50", 1.0), figure("two, H@100", 1.0)],
        [figure("one, H@50", 1.0), figure("one, H@100", 1.0)],
        [figure("one, p50", 1.0, "ms"), figure("one, share", 1.0), figure("two, p50", 2.0, "s")],
    ],
)
def test_figures_without_comparable_ones_are_listed_in_their_order(rows: list[Row]) -> None:
    _, alone = section(*rows).split("\n\n")
    listed = [line.split(" | ")[0].removeprefix("| ") for line in alone.splitlines()[2:]]
    assert listed == [row.measure for row in rows]


def test_a_part_that_is_measured_again_changes_its_own_rows_alone(tmp_path: Path) -> None:
    file = tmp_path / "results" / "trees.json"

    def put(part: str, value: float, parts: tuple[str, ...] = PARTS) -> dict[str, Any]:
        measured = part_of(figure(part, value))
        write_result(file, put_part(read_result(file, "trees"), part, measured, parts))
        return read_result(file, "trees")["parts"]

    put("second", 2)
    assert list(put("first", 1)) == ["first", "second"]
    assert put("second", 3) == {
        part: part_of(figure(part, value)) for part, value in (("first", 1), ("second", 3))
    }
    assert list(put("third", 4, parts=("third", "second"))) == ["third", "second"]


def test_the_conclusion_is_first_and_missing_parts_are_named() -> None:
    result = {"name": "trees", "conclusion": ["One.", "Two."], "parts": {}}
    result = put_part(result, "second", part_of(figure("items", 3, "items")), PARTS)
    table = render_result(result, parts=PARTS, legend="Terms of it.")
    assert table.startswith(
        "# Benchmark `trees`\n\n## Conclusion\n\n- One.\n- Two.\n\n## Terms\n\nTerms of it.\n\n"
        "Not run: first.\n\n## second\n"
    )
