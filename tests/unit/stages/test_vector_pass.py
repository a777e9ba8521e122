"""A pass of a vector model: the effect of an update, and the rows that it commits."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from grove.contracts import arrow_schema, load_contract
from grove.datasets import ITEM_VECTORS
from grove.stages.encoded import Encoded
from grove.stages.update_gate import HeldOut
from grove.stages.vector_pass import _item_rows, _with_partition, update_effect

COUNT = 60
"""More items than a list of 50 holds."""


def encoder(first: int, items: np.ndarray | None = None) -> Encoded:
    """Two users, whose order of the items begins with one of them."""
    scores = np.zeros((2, COUNT), dtype=np.float32)
    scores += np.linspace(1, 0, COUNT)
    scores[:, first] = 2
    vectors = np.eye(COUNT, dtype=np.float32) if items is None else items
    return Encoded(item_vectors=vectors, users=lambda _: {"user": scores})


def held_out(*targets: int) -> HeldOut:
    return HeldOut(
        histories=pa.table({"user_id": ["ann", "bob"]}),
        targets=[np.array([target]) for target in targets],
        seen=None,
    )


def test_an_update_that_changes_nothing_has_no_drift_and_equal_hits():
    effect = update_effect(encoder(0), encoder(0), held_out(0, COUNT - 1))
    assert effect.drift == pytest.approx(0, abs=1e-6)
    assert effect.hits.tolist() == [[1, 0], [1, 0]]


def test_hits_before_come_first_and_drift_is_that_of_the_items():
    last = COUNT - 1
    turned = -np.eye(COUNT, dtype=np.float32)
    effect = update_effect(encoder(0), encoder(last), held_out(last, 0))
    assert effect.hits.tolist() == [[0, 1], [1, 1]]
    moved = update_effect(encoder(0), encoder(0, items=turned), held_out(0, 0))
    assert moved.drift == pytest.approx(2)


def test_without_held_out_users_there_is_a_drift_and_no_hit():
    none_held = HeldOut(
        histories=pa.table({"user_id": pa.array([], pa.string())}), targets=[], seen=[]
    )
    effect = update_effect(encoder(0), encoder(1), none_held)
    assert effect.hits.shape == (2, 0)
    assert effect.drift == pytest.approx(0, abs=1e-6)


def test_rows_have_the_columns_of_the_contract_in_its_order():
    items = pa.table({"item_id": [f"item{row:02}" for row in range(COUNT)]})
    found = _with_partition(
        _item_rows(items, encoder(0), "abcdef012345"),
        day=date(2026, 8, 20),
        model="dssm",
        training_pass="update",
    )
    schema = arrow_schema(load_contract(ITEM_VECTORS))
    assert found.column_names == schema.names
    assert found.cast(schema).num_rows == COUNT
    assert found["vector"][3].as_py() == np.eye(COUNT)[3].tolist()
    assert found["training_pass"].unique().to_pylist() == ["update"]
