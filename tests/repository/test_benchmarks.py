"""Benchmarks are seldom run, so their figures other than seconds are tested here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.benchmarks import run
from tests.benchmarks.day import measure_days
from tests.benchmarks.rows import Row, read_result

from grove.datasets import Layout
from grove.runtime.files import write_json

DAYS = ("2026-08-19", "2026-08-20")


class FakeApi:
    """Two days that ran, of one job each."""

    def runs(self) -> list[dict[str, Any]]:
        ends = {"start_date": "2026-08-21T00:00:00Z", "end_date": "2026-08-21T00:01:40Z"}
        return [
            {"partition_key": day, "state": "success", "dag_run_id": day, **ends} for day in DAYS
        ]

    def tasks(self, _run: str) -> list[dict[str, Any]]:
        task = {"task_id": "ingest_landing", "operator_name": "SparkJobOperator"}
        return [task | {"state": "success", "duration": 12.0, "start_date": "2026-08-21T00:00:01Z"}]


def test_a_days_seconds_are_split_into_parts(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    seconds = {"start": 0.5, "session": 4.0, "gate": 0.5, "work": 6.0}
    for day in DAYS:
        file = layout.report(date.fromisoformat(day), "ingest_landing")
        write_json(
            file, {"status": "committed", "rows": {"out": 1}, "seconds": seconds, "run_id": day}
        )
    found = {row.measure: row.value for row in measure_days(FakeApi(), layout)}
    assert found["P8 fresh day, wall"] == 99.0  # without the second before its first job
    parts = {part: found[f"P8 incremental day, ingest_landing, {part}"] for part in seconds}
    assert parts == seconds
    assert found["P8 incremental day, all stages, orchestration"] == 1.0


def test_another_shop_runs_the_parts_that_can_read_it(tmp_path, monkeypatch) -> None:
    def rows(data: Path | None) -> Iterator[Row]:
        yield Row(f"items of {data}", 1.0, "items")

    module = SimpleNamespace(PARTS={"any": rows, "own": rows}, DATA_PARTS=("any",))
    monkeypatch.setattr(run, "load", lambda _: module)
    monkeypatch.setattr(run, "names", lambda: ["trees"])
    monkeypatch.setattr(run, "RESULTS", tmp_path / "here")
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    shop = tmp_path / "toys"
    with pytest.raises(SystemExit, match="toys is no folder"):
        run.main(["trees", "--data", str(shop)])
    shop.mkdir()
    run.main(["trees", "--data", str(shop)])
    table = (tmp_path / "build" / "trees" / "toys" / "all.md").read_text(encoding="utf-8")
    assert table.count(f"| items of {shop} |") == 1
    assert f"ONLY=any DATA={shop}`" in table
    assert not (tmp_path / "here").exists()  # the committed table is of the usual shop
    run.main(["trees"])
    table = (tmp_path / "here" / "trees.md").read_text(encoding="utf-8")
    assert table.count("| items of None |") == len(module.PARTS)
    result = read_result(tmp_path / "here" / "trees.json", "trees")
    assert list(result["parts"]) == list(module.PARTS)
    with pytest.raises(SystemExit, match="makes its own data"):
        run.data_parts(SimpleNamespace(PARTS=module.PARTS))


@pytest.mark.parametrize("name", run.names())
def test_a_benchmark_is_made_of_parts(name: str) -> None:
    module = run.load(name)
    parts = module.PARTS
    assert set(getattr(module, "DATA_PARTS", ())) <= set(parts)
    assert parts
    assert all(callable(part) for part in parts.values())


def test_an_interrupted_benchmark_resumes_and_a_complete_one_starts_again(
    tmp_path: Path,
) -> None:
    parts = ["first", "second"]
    assert run.choose(parts, None, tmp_path) == parts
    write_json(str(tmp_path / "first.json"), {})
    assert run.choose(parts, None, tmp_path) == ["second"]
    assert run.choose(parts, "first", tmp_path) == ["first"]
    write_json(str(tmp_path / "second.json"), {})
    assert run.choose(parts, None, tmp_path) == parts
    with pytest.raises(SystemExit, match="expected one of first, second"):
        run.choose(parts, "third", tmp_path)


def test_a_part_of_another_checkout_is_taken_over(tmp_path, monkeypatch) -> None:
    module = SimpleNamespace(PARTS={"slow": lambda _: pytest.fail("measured again")})
    monkeypatch.setattr(run, "load", lambda _: module)
    monkeypatch.setattr(run, "names", lambda: ["trees"])
    monkeypatch.setattr(run, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(run, "BUILD", tmp_path / "build")
    other = tmp_path / "other"
    with pytest.raises(SystemExit, match="has not ended there"):
        run.main(["trees", "--only", "slow", "--take", str(other)])
    with pytest.raises(SystemExit, match="name it with --only"):
        run.main(["trees", "--take", str(other)])
    ended = {
        "seconds": 12.0,
        "machine": {"cores": 2},
        "rows": [{"measure": "a", "value": 1.5, "unit": "s"}],
    }
    write_json(str(other / "slow.json"), ended)
    run.main(["trees", "--only", "slow", "--take", str(other)])
    part = read_result(tmp_path / "results" / "trees.json", "trees")["parts"]["slow"]
    assert part == {"command": "make benchmark NAME=trees ONLY=slow", **ended}
    assert "| a | 1.5 | s |" in (tmp_path / "results" / "trees.md").read_text(encoding="utf-8")
