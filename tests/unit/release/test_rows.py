"""Tables of a day become rows of a release."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.release.rows import (
    POPULARITY_FILE,
    SEEN_FILE,
    day_rows,
    headline,
    item_rows,
    metrics_by_stage,
    past_tables,
)

ITEMS = pa.table(
    {
        "item_id": ["a", "b"],
        "title": ["Mug", "Pen"],
        "category_path": [["Home"], ["Office"]],
        "price": [4.5, None],
        "stock": [3, 0],
        "regions": [["north"], []],
        "description": ["not shown", "not shown"],
    }
)
ITEM_TABLE = pa.table(
    {"item_id": ["a", "b"], "text_vector": [[1.0], [0.0]], "brand": ["", "Acme"], "price": [9, 9]}
)


def test_an_item_has_its_displayed_columns_and_its_model_inputs():
    rows = item_rows(ITEMS, ITEM_TABLE, [10, 20])
    assert rows.to_pylist()[1] == {
        "item_id": "b",
        "item_key": 20,
        "title": "Pen",
        "category_path": ["Office"],
        "price": None,
        "stock": 0,
        "regions": [],
        "text_vector": [0.0],
        "brand": "Acme",
    }


def test_an_item_has_its_product_where_the_table_has_it():
    items = ITEMS.append_column("product_id", pa.array(["mug", None]))
    assert item_rows(items, ITEM_TABLE, [10, 20])["product_id"].to_pylist() == ["mug", None]


def test_two_tables_in_different_orders_are_rejected():
    with pytest.raises(ValueError, match="same order"):
        item_rows(ITEMS, ITEM_TABLE.take([1, 0]), [10, 20])


def test_rows_of_a_day_are_sorted_and_lose_their_partition():
    rows = pa.table({"day": [1, 1], "user_id": ["v", "u"], "length": [2, 3]})
    assert day_rows(rows, "user_id", without=("day",)).to_pylist() == [
        {"user_id": "u", "length": 3},
        {"user_id": "v", "length": 2},
    ]


@given(
    st.lists(st.tuples(st.sampled_from("uvwx"), st.sampled_from("abcde"), st.booleans())),
    st.randoms(),
)
def test_seen_items_and_popularity_equal_the_reference_implementation(events, random):
    """The third value only makes equal pairs: a day has many events of one user and item."""
    rows = [{"user_id": user, "item_id": item} for user, item, _ in events]
    schema = pa.schema([("user_id", pa.string()), ("item_id", pa.string())])
    tables = past_tables(pa.Table.from_pylist(rows, schema))
    seen = {user: sorted({i for u, i, _ in events if u == user}) for user, _, _ in events}
    counts = Counter(item for _, item, _ in events)
    assert tables[SEEN_FILE].to_pylist() == [
        {"user_id": user, "item_ids": items} for user, items in sorted(seen.items())
    ]
    assert tables[POPULARITY_FILE].to_pylist() == [
        {"item_id": item, "count": count} for item, count in sorted(counts.items())
    ]
    random.shuffle(rows)
    again = past_tables(pa.Table.from_pylist(rows, schema))
    assert all(again[name].equals(table) for name, table in tables.items())


def test_metrics_do_not_depend_on_the_order_they_were_stored_in():
    rows = pa.table(
        {
            "day": [1, 1, 1],
            "stage": ["b", "a", "a"],
            "segment": ["all", "all", "new_items"],
            "value": [0.1, 0.2, 0.3],
        }
    )
    metrics = metrics_by_stage(rows)
    assert metrics == metrics_by_stage(rows.take([2, 0, 1]))
    assert headline(metrics) == {
        "a": [{"segment": "all", "value": 0.2}],
        "b": [{"segment": "all", "value": 0.1}],
    }
