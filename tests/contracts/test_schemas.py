from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import yaml
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from tests.contracts.sample_rows import as_table, break_row, valid_rows

from grove.contracts import (
    Contract,
    arrow_schema,
    delta_constraints,
    documentation_table,
    load_contracts,
    spark_schema,
)
from grove.contracts.load import SCHEMAS
from grove.datasets import DATASETS, FEEDS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONTRACTS = load_contracts()
TABLES = {name: contract for name, contract in CONTRACTS.items() if not contract.is_feed}


def test_every_dataset_and_feed_has_one_contract_and_every_file_is_one() -> None:
    assert len(CONTRACTS) == 19
    assert list(CONTRACTS) == [*DATASETS, *(f"feed_{feed}" for feed in FEEDS)]
    files = {file.name for file in SCHEMAS.glob("*.yaml")}
    assert files == {f"{name}.v1.yaml" for name in CONTRACTS}


def test_the_readme_shows_the_table_the_contracts_make() -> None:
    readme = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    _, _, rest = readme.partition("<!-- datasets -->\n")
    table, _, _ = rest.partition("<!-- end of datasets -->")
    assert table == documentation_table() + "\n"


def test_the_readme_names_every_argument_a_check_may_have() -> None:
    from grove.contracts.odcs_checks import _KIND_BY_ARGUMENT

    readme = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    assert [name for name in _KIND_BY_ARGUMENT if name not in readme] == []


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_a_contract_documents_every_table_and_column(contract: Contract) -> None:
    assert contract.description.endswith(".")
    assert contract.owner
    assert contract.grain
    assert contract.checks
    for column in contract.columns:
        assert column.meaning.endswith((".", "Z.")), column.name
        is_number = re.search("int|float|double", column.physical_type)
        assert (column.unit is not None) == bool(is_number), column.name


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_checks_of_a_feed_only_warn(contract: Contract) -> None:
    severities = {check.severity for check in contract.checks}
    assert severities == {"warn"} if contract.is_feed else "fail" in severities


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_spark_and_arrow_agree_with_the_file(contract: Contract) -> None:
    from pyspark.sql.pandas.types import to_arrow_schema

    file = SCHEMAS / f"{contract.name}.v{contract.version}.yaml"
    written = yaml.safe_load(file.read_text(encoding="utf-8"))["schema"][0]["properties"]
    schema = spark_schema(contract)
    assert [field.dataType.simpleString() for field in schema] == [
        column["physicalType"] for column in written
    ]
    assert [field.nullable for field in schema] == [not column["required"] for column in written]
    # Spark's own translation knows neither our time zone nor comments: compare the rest.
    ours, theirs = arrow_schema(contract), to_arrow_schema(schema)
    assert ours.names == theirs.names
    assert [field.nullable for field in ours] == [field.nullable for field in theirs]
    assert [field.type for field in ours] == [field.type for field in theirs]


@pytest.mark.parametrize("contract", TABLES.values(), ids=TABLES)
def test_partitions_are_the_catalogs(contract: Contract) -> None:
    assert contract.partition_by == DATASETS[contract.name].partition_by


@pytest.mark.parametrize("contract", TABLES.values(), ids=TABLES)
def test_a_delta_table_accepts_good_rows_and_rejects_each_bad_one(
    contract: Contract, tmp_path: Path
) -> None:
    path, schema = str(tmp_path), arrow_schema(contract)
    table = DeltaTable.create(path, schema, partition_by=list(contract.partition_by))
    constraints = delta_constraints(contract)
    table.alter.add_constraint(constraints)
    rows = valid_rows(contract, 3)
    write_deltalake(path, as_table(rows, contract), mode="append")

    for check in contract.checks:
        if check.name in constraints or (check.kind == "not_null" and not check.tolerated_share):
            bad = as_table([break_row(rows[0], check, rows[1])], contract)
            with pytest.raises((DeltaError, pa.ArrowInvalid)):
                write_deltalake(path, bad, mode="append")

    back = DeltaTable(path).to_pyarrow_table().select(schema.names)
    assert back.num_rows == 3
    assert back.schema.equals(schema)


@pytest.mark.spark
def test_spark_reads_every_constraint_as_delta_rs_does(spark: SparkSession) -> None:
    seen = 0
    for contract in TABLES.values():
        constraints = delta_constraints(contract)
        checks = [check for check in contract.checks if check.name in constraints]
        rows = valid_rows(contract, len(checks) + 1)
        broken = [break_row(row, check, rows[-1]) for row, check in zip(rows, checks, strict=False)]
        good, bad = (
            spark.createDataFrame(as_table(each, contract))
            .selectExpr(*(f"{constraints[check.name]} AS held_{check.name}" for check in checks))
            .collect()
            for each in (rows, broken)
        )
        assert all(all(row) for row in good), contract.name
        assert [row[index] for index, row in enumerate(bad)] == [False] * len(checks), contract.name
        seen += len(checks)
    assert seen > 40
