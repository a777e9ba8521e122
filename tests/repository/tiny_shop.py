"""A shop of a few dozen users and items, for tests of the benchmarks."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from tests.benchmarks.shop_data import ITEM_COLUMNS, Shop

from grove.features.ids import SECONDS_PER_DAY
from grove.stages.model_inputs import item_table_of
from grove.texts.prompt import item_texts, texts_by_hash

EPOCH = date(1970, 1, 1)
DAYS_BEFORE = 60
SPLIT_ON = EPOCH + timedelta(days=DAYS_BEFORE)
OLD_ITEMS, NEW_ITEMS = 36, 4
Purchases = dict[str, list[tuple[int, int]]]
"""By user: item and day of each event, in order."""


def tiny_options(*, epochs: int, learning_rate: float) -> dict[str, dict[str, Any]]:
    """Options of the smallest models, by kind of model."""
    steps = {"epochs": epochs, "batch_size": 16, "learning_rate": learning_rate}
    encoder = {"width": 16, "layers": 1, "heads": 2, "dropout": 0.1, **steps}
    trees = {"llm_weight": 1.0, "cf_weight": 1.0, "item_weight": 1.0, "leaf_step": "item_score"}
    return {
        "dssm": {"width": 16, "dropout": 0.1, **steps},
        "ease": {"ridge": 10.0},
        "retriever": dict(encoder),
        "treebridge": {**encoder, **trees},
    }


def shop_of(purchases: Purchases) -> Shop:
    """A shop with these purchases, and with all items, bought or not."""
    rows = [
        (user, item_id(item), day * SECONDS_PER_DAY, day, "")
        for user in sorted(purchases)
        for item, day in purchases[user]
    ]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "time", "day", "region"])
    catalogue = [
        {
            "item_id": item_id(item),
            "title": f"Thing number {item}",
            "category_path": ["Things", f"Aisle {item % 3}"],
            "tags": [],
        }
        for item in range(OLD_ITEMS + NEW_ITEMS)
    ]
    items = pa.Table.from_pylist(catalogue, ITEM_COLUMNS)
    return Shop(name="Tiny", events=events, items=items)


def walks() -> Purchases:
    """Walks over the old items, which cross the split; every fourth ends with a new item.

    No user has an item twice, and every old item is the first of a user, before the split.
    """
    random = np.random.default_rng(1)
    found: Purchases = {}
    for user in range(OLD_ITEMS):
        days = np.sort([random.integers(DAYS_BEFORE), *random.integers(2 * DAYS_BEFORE, size=7)])
        walk = [((user + step) % OLD_ITEMS, int(day)) for step, day in enumerate(days)]
        new = [(OLD_ITEMS + user // 4 % NEW_ITEMS, 2 * DAYS_BEFORE)] if user % 4 == 0 else []
        found[f"user{user:02d}"] = walk + new
    return found


def item_table(shop: Shop) -> pa.Table:
    """The item table, with random vectors for texts."""
    texts = texts_by_hash(item_texts(shop.items))
    vectors = np.random.default_rng(2).normal(size=(len(texts), 12)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return item_table_of(shop.items, pa.table({"text_hash": list(texts), "vector": list(vectors)}))


def bare_items() -> pa.Table:
    """The columns of the item table that a split reads."""
    return pa.table({"item_id": [item_id(item) for item in range(OLD_ITEMS + NEW_ITEMS)]})


def item_id(item: int) -> str:
    """Id of an item by number."""
    return f"item{item:02d}"
