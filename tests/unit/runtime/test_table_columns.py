"""Tables follow their contracts: nullable columns are added, any other change is an error."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError

from grove.contracts import Check, Column, Contract, arrow_schema, load_contract
from grove.datasets import METRICS
from grove.errors import BUG_EXIT_CODE, BugError
from grove.runtime.tables import (
    create_tables,
    newest_rows_as_of,
    open_table,
    read_arrow,
    read_spark,
    replace_partition,
    table_versions,
)

DAY = date(2026, 8, 20)
LATER = DAY + timedelta(days=1)
UNIT = Column(
    name="unit", logical_type="string", physical_type="string", nullable=True, meaning="A unit."
)
UNIT_KNOWN = Check(
    name="unit_known", kind="values", severity="fail", columns=("unit",), values=("share", "count")
)


def rows(contract: Contract, day: date, value: float, **more: str | int) -> pa.Table:
    row = {"day": day, "stage": "train_dssm", "model": "dssm", "metric": "HR", "cutoff": 10}
    row |= {"segment": "all", "value": value, "support": 5, **more}
    return pa.Table.from_pylist([row], schema=arrow_schema(contract))


def write(layout, contract: Contract, day: date, value: float, **more: str | int) -> None:
    partition = {"day": day, "stage": "train_dssm"}
    replace_partition(rows(contract, day, value, **more), layout, METRICS, partition)


@pytest.fixture
def publish(monkeypatch):
    """Replace the contract of `metrics`, wherever it is read."""

    def change(contract: Contract) -> Contract:
        def load(dataset):
            return contract if dataset is METRICS else load_contract(dataset)

        for module in ("tables", "conform"):
            monkeypatch.setattr(f"grove.runtime.{module}.load_contract", load)
        return contract

    return change


def with_unit(contract: Contract) -> Contract:
    """A nullable column in the middle, with a check."""
    columns = (*contract.columns[:3], UNIT, *contract.columns[3:])
    return replace(contract, columns=columns, checks=(*contract.checks, UNIT_KNOWN))


def test_a_new_nullable_column_widens_a_table_with_data(layout, publish):
    before = load_contract(METRICS)
    write(layout, before, DAY, 0.25)
    wider = publish(with_unit(before))
    create_tables(layout)
    assert read_arrow(layout, METRICS)["unit"].to_pylist() == [None]
    write(layout, wider, LATER, 0.5, unit="share")
    found = read_arrow(layout, METRICS).sort_by("day")
    assert found["unit"].to_pylist() == [None, "share"]
    assert found["value"].to_pylist() == [0.25, 0.5]
    newest = newest_rows_as_of(layout, METRICS, "model", LATER)
    assert newest["unit"].to_pylist() == ["share"]


def test_the_old_day_can_be_written_again_with_the_new_column(layout, publish):
    write(layout, load_contract(METRICS), DAY, 0.25)
    wider = publish(with_unit(load_contract(METRICS)))
    create_tables(layout)
    write(layout, wider, DAY, 0.75, unit="count")
    assert read_arrow(layout, METRICS)["unit"].to_pylist() == ["count"]


def test_old_and_new_constraints_hold_after_widening(layout, publish):
    constraints = constraints_of(layout)
    wider = publish(with_unit(load_contract(METRICS)))
    create_tables(layout)
    assert constraints_of(layout) == constraints | {"delta.constraints.unit_known"}
    for broken in ({"unit": "furlong"}, {"cutoff": 0}):
        with pytest.raises(DeltaError, match="1 rows failed validation"):
            write(layout, wider, DAY, 0.5, **broken)
    write(layout, wider, DAY, 0.5)
    assert read_arrow(layout, METRICS)["unit"].to_pylist() == [None]


def test_widening_again_changes_nothing(layout, publish):
    publish(with_unit(load_contract(METRICS)))
    create_tables(layout)
    versions = table_versions(layout)
    create_tables(layout)
    assert table_versions(layout) == versions


def test_a_new_description_is_no_difference(layout, publish):
    before = load_contract(METRICS)
    write(layout, before, DAY, 0.25)
    version = open_table(layout, METRICS).version()
    columns = tuple(replace(each, meaning=f"{each.meaning} Again.") for each in before.columns)
    described = publish(replace(before, columns=columns))
    create_tables(layout)
    assert open_table(layout, METRICS).version() == version
    write(layout, described, DAY, 0.5)
    assert read_arrow(layout, METRICS)["value"].to_pylist() == [0.5]


def required(contract: Contract) -> Contract:
    return replace(contract, columns=(*contract.columns, replace(UNIT, nullable=False)))


def removed(contract: Contract) -> Contract:
    return replace(contract, columns=contract.columns[:-1])


def retyped(contract: Contract) -> Contract:
    last = replace(contract.columns[-1], physical_type="string")
    return replace(contract, columns=(*contract.columns[:-1], last))


def loosened(contract: Contract) -> Contract:
    last = replace(contract.columns[-1], nullable=True)
    return replace(contract, columns=(*contract.columns[:-1], last))


@pytest.mark.parametrize(
    ("change", "expected", "found"),
    [
        (required, "unit string not null", "no column unit"),
        (removed, "no column support", "support"),
        (retyped, "support string not null", "support"),
        (loosened, "support ", "not null"),
    ],
)
def test_any_other_difference_is_a_bug_that_is_not_retried(
    layout, publish, change, expected, found
):
    write(layout, load_contract(METRICS), DAY, 0.25)
    version = open_table(layout, METRICS).version()
    publish(change(load_contract(METRICS)))
    with pytest.raises(BugError, match="contradict its contract") as caught:
        create_tables(layout)
    assert caught.value.exit_code == BUG_EXIT_CODE
    assert expected in caught.value.expected
    assert found in caught.value.found
    assert "new version of the contract" in caught.value.next_step
    assert open_table(layout, METRICS).version() == version
    assert read_arrow(layout, METRICS)["value"].to_pylist() == [0.25]


@pytest.mark.spark
def test_spark_writes_and_reads_a_widened_table(spark, layout, publish):
    before = load_contract(METRICS)
    write(layout, before, DAY, 0.25)
    wider = publish(with_unit(before))
    create_tables(layout)
    frame = spark.createDataFrame(rows(wider, LATER, 0.5, unit="share"))
    replace_partition(frame, layout, METRICS, {"day": LATER, "stage": "train_dssm"})
    read = read_spark(spark, layout, METRICS).orderBy("day").select("unit").collect()
    assert [row["unit"] for row in read] == [None, "share"]


def constraints_of(layout) -> set[str]:
    configuration = open_table(layout, METRICS).metadata().configuration
    return {key for key in configuration if key.startswith("delta.constraints.")}
