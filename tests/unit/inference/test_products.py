"""Lists that hold one variant of each product, against reference implementations."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.inference.interleave import fuse_served, round_robin
from grove.inference.products import best_of_products, product_numbers
from grove.inference.top_k import top_k

product_ids = st.lists(st.sampled_from([None, "", "a", "b", "c"]), min_size=1, max_size=15)


def reference_best(ranked, products, k):
    """First item of each product in a ranking without −1."""
    kept, known = [], set()
    for row in ranked:
        if products[row] not in known:
            kept.append(row)
            known.add(products[row])
    return (kept + [-1] * k)[:k]


@given(product_ids)
def test_items_share_a_number_only_within_a_named_product(ids):
    numbers = product_numbers(pa.array(ids, pa.string()))
    for one, first in enumerate(ids):
        for other, second in enumerate(ids):
            same = one == other or (bool(first) and first == second)
            assert (numbers[one] == numbers[other]) == same


def test_chunks_and_columns_without_any_product_are_numbered():
    chunked = pa.chunked_array([["x", None], ["x"]])
    assert product_numbers(chunked).tolist() == [0, 1, 0]
    assert product_numbers(pa.nulls(3, pa.string())).tolist() == [0, 1, 2]


@given(ids=product_ids, k=st.integers(1, 20), seed=st.integers(0, 100))
def test_the_best_item_of_each_product_is_kept(ids, k, seed):
    products = product_numbers(pa.array(ids, pa.string()))
    ranked = np.random.default_rng(seed).permutation(len(ids))
    assert best_of_products(ranked[None], k, products).tolist() == [
        reference_best(ranked.tolist(), products, k)
    ]


@given(ids=product_ids, k=st.integers(1, 20), seed=st.integers(0, 100), filtered=st.booleans())
def test_top_k_of_products_is_the_whole_ranking_without_worse_variants(ids, k, seed, filtered):
    products = product_numbers(pa.array(ids, pa.string()))
    random = np.random.default_rng(seed)
    users = random.integers(-2, 3, (4, 2)).astype(np.float32)  # many equal scores
    items = random.integers(-2, 3, (len(ids), 2)).astype(np.float32)
    excluded = [np.flatnonzero(random.random(len(ids)) < 0.4) for _ in users] if filtered else None
    whole = top_k(users, items, k=len(ids), excluded=excluded)
    found = top_k(users, items, k=k, excluded=excluded, products=products)
    assert found.tolist() == [
        reference_best([row for row in ranked if row >= 0], products, k)
        for ranked in whole.tolist()
    ]


@given(ids=product_ids, k=st.integers(1, 8), seed=st.integers(0, 100))
def test_a_served_list_of_products_has_k_of_them(ids, k, seed):
    products = product_numbers(pa.array(ids, pa.string()))
    random = np.random.default_rng(seed)
    lists = [best_of_products(random.permutation(len(ids))[None], k, products) for _ in range(3)]
    found = fuse_served(h_next=lists[0], h_gen=lists[1], tree=lists[2], k=k, products=products)[0]
    listed = products[found[found >= 0]]
    assert len(listed) == len(set(listed)) == min(k, len(set(products)))
    assert found[0] == lists[0][0, 0]


def test_a_variant_of_a_listed_product_is_left_out_of_a_round_robin():
    lists = [np.array([[0, 2]]), np.array([[1, 3]])]
    products = np.array([0, 0, 2, 3])
    assert round_robin(lists, 4).tolist() == [[0, 1, 2, 3]]
    assert round_robin(lists, 4, products=products).tolist() == [[0, 2, 3, -1]]


@pytest.mark.parametrize("width", [3, 64, 100])
def test_equal_vectors_are_neighbours_in_order_of_their_rows(width):
    random = np.random.default_rng(0)
    vectors = random.normal(size=(40, width)).astype(np.float32)[np.arange(400) % 40]
    users = random.normal(size=(600, width)).astype(np.float32)
    found = top_k(users, vectors, k=30)
    assert (found[:, ::10] < 40).all()
    assert (np.diff(found.reshape(600, 3, 10), axis=2) == 40).all()
