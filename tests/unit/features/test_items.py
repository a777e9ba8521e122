"""The item table and its tensors."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import DataError
from grove.features.items import (
    PRICE_BUCKETS,
    build_item_table,
    item_attributes,
    item_features,
    price_bucket,
    text_matrix,
)
from grove.features.vocabulary import Vocabulary


def catalogue() -> pa.Table:
    return pa.table(
        {
            "item_id": ["b", "a"],
            "category_path": [["Home", "Lamps"], []],
            "brand": ["Birch", None],
            "tags": [["oak", "new"], []],
            "price": [19.99, None],
            "text_hash": ["hash-b", "hash-a"],
        }
    )


def vectors() -> pa.Table:
    return pa.table({"text_hash": ["hash-a", "hash-b"], "vector": [[1.0, 0.0], [0.0, 1.0]]})


def test_table_is_sorted_by_item_with_each_items_own_vector():
    table = build_item_table(catalogue(), vectors())
    assert table["item_id"].to_pylist() == ["a", "b"]
    assert text_matrix(table).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert table["category"].to_pylist() == ["", "Home > Lamps"]
    assert table["brand"].to_pylist() == ["", "Birch"]
    assert table["price_bucket"].to_pylist() == [0, 4]


def test_an_item_without_a_text_vector_is_named():
    with pytest.raises(DataError, match="none for b and 0 others"):
        build_item_table(catalogue(), vectors().slice(0, 1))


def test_attributes_name_every_category_level():
    names = item_attributes(build_item_table(catalogue(), vectors()))
    assert names == [
        [],
        ["category:Home", "category:Home > Lamps", "brand:Birch", "tag:new", "tag:oak", "price:4"],
    ]


def test_features_reserve_row_0_and_drop_unknown_attributes():
    table = build_item_table(catalogue(), vectors())
    vocabulary = Vocabulary(items=("b",), attributes=("tag:oak", "brand:Birch"))
    features = item_features(table, vocabulary)
    assert features.count == 2
    assert features.ids.tolist() == [0, 1, 2]
    assert sorted(features.attributes[2].tolist()) == [2, 3]
    assert features.attributes[:2].sum() == 0
    assert torch.equal(features.text[0], torch.zeros(2))


def test_an_empty_catalogue_has_empty_features():
    table = build_item_table(catalogue().slice(0, 0), vectors())
    assert item_features(table, Vocabulary()).count == 0


@given(prices=st.lists(st.floats(0, 1e7), min_size=2))
def test_price_buckets_are_ordered_and_in_range(prices):
    buckets = [price_bucket(price) for price in sorted(prices)]
    assert buckets == sorted(buckets)
    assert all(1 <= bucket <= PRICE_BUCKETS for bucket in buckets)


@pytest.mark.parametrize("price", [None, -1.0, math.nan])
def test_a_price_that_is_none_has_bucket_0(price):
    assert price_bucket(price) == 0


def test_item_order_of_the_input_does_not_matter():
    forth = build_item_table(catalogue(), vectors())
    back = build_item_table(catalogue().take(np.array([1, 0])), vectors())
    assert forth.equals(back)
