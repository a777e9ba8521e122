"""Recommendations: filters hold, and every user gets as many items as exist."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.serving.small_release import ITEMS, USERS, write_small_release

from grove.errors import DataError
from grove.index import build_index
from grove.serving import ReleaseReader, open_current_release, recommend
from grove.serving.recommend import eligible_items, last_region, nearest_allowed


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("releases")
    write_small_release(folder)
    return open_current_release(folder / "current.json")


def rows(found):
    return [int(one.item_id.removeprefix("item")) for one in found]


def seen(reader, user):
    return set(reader.rows_of(reader.history_of(user)["item_ids"].combine_chunks().flatten()))


def reference_eligible(reader, region):
    items = reader.items.to_pylist()
    return {
        row
        for row, item in enumerate(items)
        if item["stock"] != 0 and (region is None or region in item["regions"])
    }


@pytest.mark.parametrize("region", [None, "north", "south", "nowhere"])
def test_eligible_is_in_stock_and_sold_in_the_region(reader, region):
    found = set(np.flatnonzero(eligible_items(reader.items, region)).tolist())
    assert found == reference_eligible(reader, region)


def with_items(reader, stock, regions):
    """The same release with other stock and regions."""
    changed = ReleaseReader(reader.folder, reader.manifest)
    items = reader.items
    for name, values in (("stock", stock), ("regions", regions)):
        column = pa.array(values, items.schema.field(name).type)
        items = items.set_column(items.column_names.index(name), name, column)
    shared = {name: getattr(reader, name) for name in ("index", "searcher", "histories")}
    changed.__dict__.update(items=items, **shared)
    return changed


def one_variant(reader, products):
    """The same release, with products, of which lists hold one variant each."""
    chosen = {**reader.manifest.settings["source"], "one_variant_per_product": True}
    manifest = replace(reader.manifest, settings={**reader.manifest.settings, "source": chosen})
    changed = ReleaseReader(reader.folder, manifest)
    shared = {name: getattr(reader, name) for name in ("index", "searcher", "histories")}
    items = reader.items.append_column("product_id", pa.array(products, pa.string()))
    changed.__dict__.update(items=items, **shared)
    return changed


@settings(max_examples=30)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 40),
    user=st.integers(0, USERS),
    count=st.sampled_from([1, 5, 20]),
)
def test_a_list_holds_one_variant_of_each_product(reader, seed, k, user, count):
    drawn = np.random.default_rng(seed).integers(0, count, ITEMS).tolist()
    products = [f"product{number}" if number else None for number in drawn]
    shop, name = one_variant(reader, products), f"user{user:04d}"  # the last one is unknown
    found = rows(recommend(shop, name, k=k, region="south"))
    allowed = reference_eligible(reader, "south") - seen(reader, name)
    numbers = shop.products
    assert set(found) <= allowed
    listed = [int(numbers[row]) for row in found]
    assert len(listed) == len(set(listed)) == min(k, len({int(numbers[row]) for row in allowed}))


def test_without_products_a_release_shows_what_it_showed(reader):
    manifest = replace(
        reader.manifest,
        settings={**reader.manifest.settings, "source": {"keep_seen_items": False}},
    )
    assert reader.products is None
    assert ReleaseReader(reader.folder, manifest).products is None
    single = one_variant(reader, [None] * ITEMS)
    assert recommend(single, "user0001", k=10) == recommend(reader, "user0001", k=10)


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 40), user=st.integers(0, USERS))
def test_every_user_gets_k_items_when_k_are_eligible(reader, seed, k, user):
    generator = np.random.default_rng(seed)
    stock = generator.integers(0, 2, ITEMS).tolist()
    regions = [["north"] if draw < 0.7 else [] for draw in generator.random(ITEMS)]
    shop = with_items(reader, stock, regions)
    name = f"user{user:04d}"  # the last one is unknown
    found = rows(recommend(shop, name, k=k, region="north"))
    allowed = {row for row in range(ITEMS) if stock[row]} - seen(reader, name)
    assert set(found) <= allowed
    assert len(found) == len(set(found)) == min(k, len(allowed))


def test_a_known_user_gets_items_of_all_three_lists(reader):
    found = recommend(reader, "user0001", k=10)
    assert {name for one in found for name in one.found_by} == {"next", "general", "tree"}
    assert all(one.title.startswith("Thing") for one in found)
    assert recommend(reader, "user0001", k=10) == found


def test_an_unknown_user_gets_popular_items(reader):
    found = recommend(reader, "unknown user", k=5)
    assert {one.found_by for one in found} == {("popular",)}
    eligible = reference_eligible(reader, None)
    best = sorted(eligible, key=lambda row: (-reader.popularity[row], row))
    assert rows(found) == best[:5]


def test_the_region_is_that_of_the_newest_event_unless_given(reader):
    assert last_region(reader.history_of("user0001")) == "north"
    assert last_region(reader.history_of("unknown user")) is None
    assert set(rows(recommend(reader, "user0001", k=ITEMS))) <= reference_eligible(reader, "north")
    south = rows(recommend(reader, "user0001", k=ITEMS, region="south"))
    assert set(south) == reference_eligible(reader, "south") - seen(reader, "user0001")


def test_a_keyword_changes_what_the_generator_finds(reader):
    width = len(reader.items["text_vector"][0])
    keyword = np.random.default_rng(1).normal(size=width).astype(np.float32)
    silent = recommend(reader, "user0002", k=10)
    searched = recommend(reader, "user0002", k=10, keyword_vector=10 * keyword)
    assert silent != searched


@pytest.mark.parametrize(
    ("spoil", "found"),
    [(lambda vector: vector * np.nan, "not finite"), (lambda vector: vector[:-1], r"\[1, \d+\]")],
)
def test_a_keyword_that_is_no_text_vector_is_rejected(reader, spoil, found):
    vector = np.ones(len(reader.items["text_vector"][0]), dtype=np.float32)
    with pytest.raises(DataError, match="do not fit the generator") as caught:
        recommend(reader, "user0002", k=10, keyword_vector=spoil(vector))
    assert re.search(found, caught.value.found)


@pytest.mark.parametrize("user", ["user0002", "unknown user"])
def test_a_list_without_items_is_rejected(reader, user):
    with pytest.raises(DataError, match="k of at least 1"):
        recommend(reader, user, k=0)


def test_items_of_old_interactions_are_not_recommended(tmp_path, reader):
    old = sorted(set(range(ITEMS)) - seen(reader, "user0001"))[:15]
    known = [*old, *seen(reader, "user0001")]
    ids = [f"item{row:03d}" for row in known]
    positives = pa.table({"user_id": ["user0001"] * len(ids), "item_id": ids})
    write_small_release(tmp_path, positives=positives)
    longer = open_current_release(tmp_path / "current.json")
    found = set(rows(recommend(longer, "user0001", k=ITEMS)))
    assert found & set(old) == set()
    assert set(rows(recommend(reader, "user0001", k=ITEMS))) & set(old)


def test_the_index_is_searched_as_it_was_measured(tmp_path, monkeypatch):
    write_small_release(tmp_path, ef_search=37)
    reader = open_current_release(tmp_path / "current.json")
    # The package shows the function under the module's name.
    module = import_module("grove.serving.recommend")
    search, asked = module.search, []

    def recorded(*given, ef_search, **named):
        asked.append(ef_search)
        return search(*given, ef_search=ef_search, **named)

    monkeypatch.setattr(module, "search", recorded)
    recommend(reader, "user0001", k=5)
    assert set(asked) == {37}


def test_a_shop_with_repurchases_recommends_what_was_seen(tmp_path):
    write_small_release(tmp_path, keep_seen_items=True)
    reader = open_current_release(tmp_path / "current.json")
    found = set(rows(recommend(reader, "user0001", k=ITEMS)))
    assert found & seen(reader, "user0001")


def test_the_nearest_allowed_items_are_those_of_exact_search(reader):
    generator = np.random.default_rng(2)
    vectors = np.stack(
        [reader.index.reconstruct(int(key)) for key in reader.items["item_key"].to_numpy()]
    )
    for _ in range(10):
        query = generator.normal(size=(1, vectors.shape[1])).astype(np.float32)
        allowed = generator.random(ITEMS) < 0.3
        order = np.argsort(-(vectors @ query[0]), kind="stable")
        expected = order[allowed[order]][:4]
        found = nearest_allowed(reader, query, allowed, 4)
        assert found[0].tolist() == expected.tolist() + [-1] * (4 - len(expected))


@settings(max_examples=30)
@given(seed=st.integers(0, 1000), distinct=st.integers(1, 6), k=st.integers(1, 40))
def test_variants_with_equal_vectors_are_all_found(reader, seed, distinct, k):
    generator = np.random.default_rng(seed)
    pool = generator.integers(-2, 3, size=(distinct, 4)).astype(np.float32)
    vectors = pool[generator.integers(0, distinct, ITEMS)]
    keys = reader.items["item_key"].to_numpy()
    equal = ReleaseReader(reader.folder, reader.manifest)
    index = build_index(keys, vectors, factory="IDMap2,HNSW16", ef_construction=40)
    equal.__dict__.update(items=reader.items, index=index)
    allowed, query = generator.random(ITEMS) < 0.6, generator.normal(size=(1, 4))
    (found,) = nearest_allowed(equal, query.astype(np.float32), allowed, k)
    listed = found[found >= 0]
    assert len(set(listed)) == len(listed) == min(k, int(allowed.sum()))
    assert allowed[listed].all()
    best = np.sort((vectors @ query[0])[allowed])[::-1][: len(listed)]
    assert np.allclose((vectors @ query[0])[listed], best, atol=1e-5)
