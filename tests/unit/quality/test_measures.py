from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.contracts import Check, load_contract
from grove.datasets import HISTORIES, ITEMS, METRICS, TEXT_EMBEDDINGS
from grove.quality.measures import measure_arrow, measured_column

NORM = Check(name="norm", kind="norm", severity="fail", columns=("vector",), minimum=1)


def norms(vectors: list[list[float | None] | None]) -> np.ndarray:
    table = pa.table({"vector": pa.array(vectors, pa.list_(pa.float32()))})
    frame = measure_arrow(table, [NORM], load_contract(TEXT_EMBEDDINGS))
    return np.asarray(frame["vector__norm"])


def reference_norm(vector: list[float | None] | None) -> float:
    if vector is None:
        return math.nan
    if any(value is None or math.isnan(value) for value in vector):
        return math.inf
    return math.sqrt(math.fsum(float(np.float32(value)) ** 2 for value in vector))


numbers = st.none() | st.floats(
    width=32, allow_infinity=False, min_value=-(2.0**50), max_value=2.0**50
)


@given(st.lists(st.none() | st.lists(numbers | st.just(math.nan), max_size=4), max_size=6))
def test_norms_are_those_of_the_plain_sum(vectors: list[list[float | None] | None]) -> None:
    expected = [reference_norm(vector) for vector in vectors]
    np.testing.assert_allclose(norms(vectors), np.array(expected, dtype=float), rtol=1e-12)


def test_norms_of_a_slice_are_its_own() -> None:
    table = pa.table({"vector": pa.array([[9.0], [3.0, 4.0], [1.0]], pa.list_(pa.float32()))})
    frame = measure_arrow(table.slice(1), [NORM], load_contract(TEXT_EMBEDDINGS))
    assert frame["vector__norm"].tolist() == [5.0, 1.0]


def test_arrays_are_measured_and_other_columns_kept() -> None:
    histories, metrics = load_contract(HISTORIES), load_contract(METRICS)
    checks = {check.name: check for check in histories.checks}
    assert measured_column(checks["user_id_not_null"], histories) == "user_id"
    assert measured_column(checks["item_ids_not_null"], histories) == "item_ids__items"
    assert measured_column(checks["item_ids_present"], histories) == "item_ids__items"
    assert measured_column(checks["queries_parallel"], histories) == "queries__same_length"
    assert measured_column(metrics.checks[0], metrics) == "day"


def test_lengths_and_their_differences() -> None:
    contract = load_contract(HISTORIES)
    checks = {check.name: check for check in contract.checks}
    table = pa.table({"item_ids": [["a", "b"], [], None], "queries": [["q"], [], ["q"]]})
    wanted = [checks["item_ids_present"], checks["queries_parallel"]]
    frame = measure_arrow(table, wanted, contract)
    np.testing.assert_array_equal(frame["item_ids__items"], [2, 0, np.nan])
    np.testing.assert_array_equal(frame["queries__same_length"], [-1, 0, np.nan])


@pytest.mark.parametrize(("value", "expected"), [(math.nan, math.inf), (None, math.nan)])
def test_nan_is_a_value_and_missing_is_not(value: float | None, expected: float) -> None:
    contract = load_contract(ITEMS)
    check = next(each for each in contract.checks if each.name == "price_range")
    frame = measure_arrow(pa.table({"price": [1.0, value]}), [check], contract)
    np.testing.assert_array_equal(frame["price"], [1.0, expected])
