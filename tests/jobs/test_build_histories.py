"""Histories of a day: two cuts, the same at every run, and none where the day was not ingested."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from grove import histories as library
from grove.contracts import Verdict, arrow_schema, load_contract
from grove.datasets import HISTORIES, INTERACTIONS, Layout
from grove.errors import DataError
from grove.runtime.files import read_json, write_json
from grove.runtime.tables import read_arrow, replace_partition
from jobs import build_histories as job

pytestmark = pytest.mark.spark


def land(layout: Layout, landed: date, items: list[str]) -> None:
    """One click of one user per item, an hour apart, and a report of ingest."""
    rows = [
        {
            "day": landed,
            "event_id": f"{landed}-{number}",
            "event_type": "click",
            "user_id": "u",
            "item_id": item,
            "event_time": datetime(landed.year, landed.month, landed.day, 8 + number, tzinfo=UTC),
        }
        for number, item in enumerate(items)
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(INTERACTIONS)))
    replace_partition(table, layout, INTERACTIONS, {"day": landed})
    write_json(layout.report(landed, "ingest_landing"), {"status": "committed", "notes": {}})


def histories(layout: Layout) -> dict[str, list[str]]:
    rows = read_arrow(layout, HISTORIES).to_pylist()
    return {row["cut"]: row["item_ids"] for row in rows}


def contents(layout: Layout) -> list[str]:
    return sorted(map(repr, read_arrow(layout, HISTORIES).to_pylist()))


def report_of(layout: Layout, day: date) -> dict[str, Any]:
    report = read_json(layout.report(day, "build_histories"))
    assert report is not None
    return report


@pytest.fixture
def run(spark: object, arguments: Callable[..., Namespace]) -> Callable[..., None]:
    return lambda **changes: job.run(arguments(**changes))


def test_both_cuts_and_the_same_rows_again(
    layout: Layout, run: Callable[..., None], day: date
) -> None:
    land(layout, day - timedelta(days=1), ["a", "b"])
    land(layout, day, ["c"])
    run()
    assert histories(layout) == {"before": ["a", "b"], "through": ["a", "b", "c"]}
    assert report_of(layout, day)["rows"] == {"in": 3, "out": 2, "rejected": 0}
    first = contents(layout)
    run()
    assert contents(layout) == first


def test_a_gap_is_named_and_fails_only_where_the_settings_require_it(
    layout: Layout, run: Callable[..., None], day: date, settings_file: Path
) -> None:
    land(layout, day - timedelta(days=3), ["a"])
    land(layout, day, ["c"])
    run()
    report = report_of(layout, day)
    assert report["status"] == "committed"
    assert report["gaps"] == [str(day - timedelta(days=2)), str(day - timedelta(days=1))]
    before = contents(layout)
    settings = yaml.safe_load(settings_file.read_text())
    settings_file.write_text(yaml.safe_dump(settings | {"ingest": {"fail_on_gap": True}}))
    run()
    assert report_of(layout, day)["status"] == "refused"
    assert contents(layout) == before


def test_a_leak_rejects_the_day_and_leaves_the_old_rows(
    layout: Layout, run: Callable[..., None], day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(layout, day - timedelta(days=1), ["a"])
    land(layout, day, ["c"])
    run()
    before = contents(layout)
    honest = library.build_histories

    def leaking(*given: Any, **named: Any) -> Any:
        rows = honest(*given, **named)
        return rows.where("cut = 'through'").withColumn("cut", job_literal("before"))

    monkeypatch.setattr("grove.histories.build_histories", leaking)
    run()
    assert contents(layout) == before
    verdict = Verdict.from_json(
        Path(layout.verdict(day, "build_histories", "histories")).read_text()
    )
    assert [result.name for result in verdict.failures] == ["cut_respected"]


def job_literal(value: str) -> Any:
    from pyspark.sql import functions

    return functions.lit(value)


def test_without_ingest_or_history_there_is_an_error(
    layout: Layout, run: Callable[..., None], day: date
) -> None:
    with pytest.raises(DataError, match="ingest_landing has no output"):
        run()
    land(layout, day, ["c"])
    with pytest.raises(DataError, match="no accepted days before this one"):
        run()
    assert contents(layout) == []
