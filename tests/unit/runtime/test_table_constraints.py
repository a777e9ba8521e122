"""Constraints of existing tables follow their contracts where the rows allow it."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from deltalake.exceptions import DeltaError

from grove.contracts import Check, arrow_schema, load_contract
from grove.datasets import ITEM_VECTORS
from grove.errors import BugError
from grove.runtime.table_constraints import align_constraints
from grove.runtime.tables import open_table, replace_partition, table_versions

CONTRACT = load_contract(ITEM_VECTORS)


def with_models(*models: str):
    checks = tuple(
        replace(check, values=models) if check.name == "model_known" else check
        for check in CONTRACT.checks
    )
    return replace(CONTRACT, checks=checks)


def align(layout, contract):
    return align_constraints(open_table(layout, ITEM_VECTORS), contract)


def write(layout, day, model: str) -> None:
    partition = {"day": day, "model": model, "training_pass": "candidate"}
    row = {**partition, "model_version": "a" * 12, "item_id": "item", "vector": [1.0]}
    rows = pa.Table.from_pylist([row], schema=arrow_schema(CONTRACT))
    replace_partition(rows, layout, ITEM_VECTORS, partition)


def test_a_table_of_the_same_contract_is_left_as_it_is(layout):
    versions = table_versions(layout)
    assert align(layout, CONTRACT) == ()
    assert table_versions(layout) == versions


def test_a_wider_check_admits_a_new_value_into_a_table_with_rows(layout, day):
    write(layout, day, "stars")
    with pytest.raises(DeltaError, match="1 rows failed validation"):
        write(layout, day, "echo")
    assert align(layout, with_models("dssm", "stars", "echo")) == ("model_known",)
    write(layout, day, "echo")
    with pytest.raises(DeltaError, match="1 rows failed validation"):
        write(layout, day, "other")


def test_a_check_that_rows_violate_is_an_error_and_the_former_one_stays(layout, day):
    write(layout, day, "stars")
    with pytest.raises(BugError, match="rows of a table contradict its contract"):
        align(layout, with_models("dssm"))
    write(layout, day, "dssm")
    with pytest.raises(DeltaError, match="1 rows failed validation"):
        write(layout, day, "other")


def test_a_constraint_that_was_lost_is_added_again(layout, day):
    open_table(layout, ITEM_VECTORS).alter.drop_constraint("model_known")
    assert align(layout, CONTRACT) == ("model_known",)
    with pytest.raises(DeltaError, match="1 rows failed validation"):
        write(layout, day, "other")


def test_a_check_that_the_contract_dropped_is_dropped(layout, day):
    checks = tuple(check for check in CONTRACT.checks if check.name != "model_known")
    assert align(layout, replace(CONTRACT, checks=checks)) == ("model_known",)
    write(layout, day, "other")


def test_a_new_check_of_an_existing_column_is_added(layout, day):
    named = Check(
        name="version_length",
        kind="length",
        severity="fail",
        columns=("model_version",),
        minimum=12,
        maximum=12,
    )
    wider = replace(CONTRACT, checks=(*CONTRACT.checks, named))
    assert align(layout, wider) == ("version_length",)
    write(layout, day, "stars")
