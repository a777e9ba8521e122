from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable, write_deltalake
from tests.contracts.sample_rows import Row, as_table, valid_rows

from grove.contracts import Verdict, load_contract
from grove.datasets import DATASETS, QUALITY_RESULTS, USERS, Layout
from grove.errors import DATA_EXIT_CODE, DataError
from grove.runtime.landing import Marker, write_marker
from grove.runtime.tables import read_arrow
from jobs.check_dataset import parse_arguments, run

Arguments = Callable[..., Namespace]
CONTRACT = load_contract(USERS)
STAGE = "check_dataset.users"
pytestmark = [pytest.mark.spark, pytest.mark.usefixtures("spark")]


def write_users(layout: Layout, rows: list[Row]) -> None:
    write_deltalake(layout.table(USERS), as_table(rows, CONTRACT), mode="append")


def verdict_of(layout: Layout, day: date, name: str = "users") -> Verdict:
    path = layout.verdict(day, f"check_dataset.{name}", name)
    return Verdict.from_json(Path(path).read_text("utf-8"))


def results(layout: Layout, day: date) -> list[Row]:
    rows: list[Row] = read_arrow(layout, QUALITY_RESULTS, day=day, stage=STAGE).to_pylist()
    return sorted(rows, key=lambda row: row["check_name"])


def test_good_rows_pass_and_a_second_run_gives_the_same_rows(
    layout: Layout, arguments: Arguments, day: date, caplog: pytest.LogCaptureFixture
) -> None:
    write_users(layout, valid_rows(CONTRACT, 5))
    with caplog.at_level(logging.INFO):
        run(arguments(dataset="users"))
    first, version = results(layout, day), DeltaTable(layout.table(USERS)).version()
    assert verdict_of(layout, day).passed
    assert len(first) == len(CONTRACT.checks)
    assert "held     user_id_unique" in caplog.text
    assert (Path(layout.data_docs(day)) / "index.html").is_file()

    run(arguments(dataset="users"))
    assert results(layout, day) == first
    assert DeltaTable(layout.table(USERS)).version() == version


def test_broken_rows_fail_as_a_data_error_and_stay_where_they_are(
    layout: Layout, arguments: Arguments, day: date
) -> None:
    rows = valid_rows(CONTRACT, 2)
    # Delta's own constraints refuse most bad rows; a repeated key is for the check to find.
    write_users(layout, [*rows, rows[0]])
    with pytest.raises(DataError, match="users breaks its contract") as raised:
        run(arguments(dataset="users"))
    assert raised.value.exit_code == DATA_EXIT_CODE == 65
    assert [result.name for result in verdict_of(layout, day).failures] == ["user_id_unique"]
    assert read_arrow(layout, USERS).num_rows == 3


def test_only_rows_of_the_day_are_validated(
    layout: Layout, arguments: Arguments, day: date
) -> None:
    rows = valid_rows(CONTRACT, 2)
    other = rows[0] | {"day": date(2026, 8, 19)}
    write_users(layout, [*rows, other, other])
    run(arguments(dataset="users"))
    assert verdict_of(layout, day).passed


@pytest.mark.slow
@pytest.mark.parametrize("name", ["text_embeddings", "quarantine"])
def test_a_table_without_days_and_an_empty_one_can_be_checked(
    layout: Layout, arguments: Arguments, day: date, name: str
) -> None:
    dataset = DATASETS[name]
    contract = load_contract(dataset)
    if name == "text_embeddings":
        write_deltalake(
            layout.table(dataset), as_table(valid_rows(contract, 3), contract), mode="append"
        )
    run(arguments(dataset=name))
    verdict = verdict_of(layout, day, name)
    assert verdict.passed
    assert {check.name for check in contract.checks} <= {one.name for one in verdict.results}
    assert verdict.warnings == ()


def test_an_open_day_without_rows_is_a_data_error_and_a_closed_one_is_not(
    layout: Layout, arguments: Arguments, day: date
) -> None:
    with pytest.raises(DataError, match="interactions breaks its contract") as raised:
        run(arguments(dataset="interactions"))
    assert raised.value.found == "rows_on_open_day"
    failures = verdict_of(layout, day, "interactions").failures
    assert [(one.name, one.observed) for one in failures] == [("rows_on_open_day", "0 rows")]
    write_marker(layout, Marker(day=day, calendar="closed", reason="holiday"))
    run(arguments(dataset="interactions"))
    assert verdict_of(layout, day, "interactions").passed


def test_an_unknown_dataset_is_rejected_by_the_parser(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(["--day", "2026-08-20", "--settings", "s.yaml", "--dataset", "orders"])
    assert "invalid choice: 'orders'" in capsys.readouterr().err
