from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from tests.contracts.sample_rows import as_table, broken_everywhere, valid_rows

from grove.contracts import CheckResult, Contract, feed_dataset, load_contract
from grove.datasets import HISTORIES, INTERACTIONS, ITEMS, METRICS, TEXT_EMBEDDINGS, Dataset
from grove.errors import BugError, DataError
from grove.quality import validate_frame

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EVENTS = feed_dataset("events")


def validate(frame: object, contract: Contract) -> tuple[CheckResult, ...]:
    return validate_frame(frame, contract, run_name="test", docs_folder=None)


@pytest.mark.parametrize(
    ("dataset", "error", "message"),
    [(EVENTS, DataError, "feed_events lacks"), (INTERACTIONS, BugError, "bug: ")],
)
def test_a_missing_column_is_a_data_error_of_a_feed_and_a_bug_of_a_table(
    dataset: Dataset, error: type[Exception], message: str
) -> None:
    contract = load_contract(dataset)
    table = as_table(valid_rows(contract, 2), contract).drop_columns(["user_id"])
    with pytest.raises(error, match=f"(?s){message}.*no user_id"):
        validate(table, contract)


def test_an_optional_column_of_a_feed_may_be_absent() -> None:
    contract = load_contract(EVENTS)
    table = as_table(valid_rows(contract, 2), contract).drop_columns(["price", "title"])
    names = {result.name for result in validate(table, contract)}
    assert {check.name for check in contract.checks} - names == {"price_range", "title_length"}


@pytest.mark.parametrize(("dataset", "error"), [(EVENTS, DataError), (INTERACTIONS, BugError)])
def test_a_check_that_cannot_be_evaluated_is_no_verdict(
    dataset: Dataset, error: type[Exception]
) -> None:
    contract = load_contract(dataset)
    table = as_table(valid_rows(contract, 2), contract)
    position = table.column_names.index("position")
    words = table.set_column(position, "position", pa.array(["first", "second"]))
    with pytest.raises(error, match="check position_range could not be evaluated"):
        validate(words, contract)


def test_pandas_and_arrow_are_the_same_rows() -> None:
    contract = load_contract(INTERACTIONS)
    table, _ = broken_everywhere(contract)
    assert validate(table.to_pandas(), contract) == validate(table, contract)


def test_unexpected_rows_are_counted_and_not_named() -> None:
    contract = load_contract(METRICS)
    rows = valid_rows(contract, 4)
    rows[0]["value"] = rows[1]["value"] = float("nan")
    results = {result.name: result for result in validate(as_table(rows, contract), contract)}
    assert results["value_finite"].observed == "2 of 4 rows (50.00%) break it"
    assert results["value_finite"].column == "value"
    assert results["metric_unique"].observed == "as expected"


@pytest.mark.spark
@pytest.mark.parametrize(
    "dataset", [INTERACTIONS, HISTORIES, TEXT_EMBEDDINGS, METRICS], ids=lambda each: each.name
)
def test_spark_and_pandas_agree(spark: SparkSession, dataset: Dataset) -> None:
    contract = load_contract(dataset)
    table, checks = broken_everywhere(contract)
    in_spark = validate(spark.createDataFrame(table), contract)
    assert in_spark == validate(table, contract)
    assert {check.name for check in checks} <= {each.name for each in in_spark if not each.passed}


@pytest.mark.spark
def test_an_empty_spark_frame_passes(spark: SparkSession) -> None:
    contract = load_contract(ITEMS)
    empty = spark.createDataFrame(as_table(valid_rows(contract, 1), contract)).limit(0)
    assert all(result.passed for result in validate(empty, contract))


@pytest.mark.spark
def test_spark_frames_are_neither_persisted_nor_left_as_views(spark: SparkSession) -> None:
    contract = load_contract(INTERACTIONS)
    frame = spark.createDataFrame(as_table(valid_rows(contract, 3), contract))
    before = spark.sparkContext._jsc.getPersistentRDDs().size()
    validate(frame, contract)
    assert spark.sparkContext._jsc.getPersistentRDDs().size() == before
    assert spark.catalog.listTables() == []
