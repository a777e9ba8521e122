"""Shops with searches: the clicks of Best Buy, and Beauty with categories as queries.

Best Buy's file holds clicks on Xbox 360 games after a search, 2011-08-11 to 2011-10-31: user, query
and game. Its own test part was drawn at random from the same weeks, and shares searches with the
rest; here the last days are held out instead. As in the file's competition, every click is a target
with a user of its own: the clicks of its owner before those days, and the query.

A model predicts an event from those before it, and nine of ten users have a single click. So every
history starts with `OPENING`, an item that is in no tree and in no list: a first click is a target
like any other, and a user without clicks has a history of this item alone. Times are positions, a
week apart, as in `splits` with `clock="order"`.

Beauty has no queries. The category path of the target replaces the query, as if the user had named
the shelf, and the path of every earlier item that of its event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tests.benchmarks.shop_data import ITEM_COLUMNS, Shop, read_text_vectors
from tests.benchmarks.splits import Split, history_table, rows_of_users

from grove.evaluation.metrics import make_targets
from grove.features.ids import DAYS_PER_WEEK, SECONDS_PER_DAY
from grove.features.vectors import vector_matrix
from grove.texts.prompt import query_text, text_hash

CLICK_FILE, PRODUCT_FILE = "clicks.parquet", "products.parquet"
OPENING = "~opening"
"""Has a row, unlike the empty id, so that the start of a history is trained."""
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Searches:
    """A split whose U lists have a query each."""

    plain: Split
    """For models that do not read queries."""
    split: Split
    """The same lists; `learnt` has queries too, and `items` may end with `OPENING`."""
    queries: Sequence[str]
    """[U] the query of each list."""
    vectors: np.ndarray
    """[U, E] float32, the vectors of these queries."""


def read_clicks(folder: Path, name: str = "Best Buy") -> Shop:
    """Read a shop whose events have a `query`; the title of a game without a name is its number."""
    columns = ["user", "sku", "query", "click_time"]
    clicks = pq.read_table(folder / CLICK_FILE, columns=columns).to_pandas()
    times = clicks["click_time"].astype("datetime64[s]").astype("int64")
    events = pd.DataFrame(
        {
            "user_id": clicks["user"],
            "item_id": clicks["sku"],
            "time": times,
            "day": times // SECONDS_PER_DAY,
            "region": "",
            "query": clicks["query"].map(normalised_query),
        }
    )
    products = pq.read_table(folder / PRODUCT_FILE).to_pylist()
    titles = {sku: sku for sku in sorted(set(clicks["sku"]))}
    titles |= {product["sku"]: product["name"] for product in products}
    return Shop(
        name=name,
        events=events.sort_values(["user_id", "time"], kind="stable", ignore_index=True),
        items=pa.Table.from_pylist(list(map(_game, titles.items())), ITEM_COLUMNS),
    )


def normalised_query(query: str) -> str:
    """A query as ingest writes it; see `grove.landed.keywords.normal_keyword`.

    Example:
        >>> normalised_query(" Gears  of War ３")
        'gears of war 3'
    """
    return " ".join(normalize("NFKC", query).lower().split())


def search_clicks(shop: Shop, items: pa.Table, kept: Path, *, split_on: date) -> Searches:
    """Make every click from a day on a target; none of these clicks is in the training data.

    The segments are clicks on new items, and clicks after a query without an earlier event.

    Args:
        shop: as `read_clicks` gives it.
        items: its item table; items without any event are left out.
        kept: folder of cached vectors.
        split_on: first day of the test.
    """
    start = (split_on - _EPOCH).days
    clicks = shop.events
    before, after = clicks[clicks["day"] < start], clicks[clicks["day"] >= start]
    items = items.filter(pc.is_in(items["item_id"], value_set=_distinct(clicks["item_id"])))
    known = pc.is_in(items["item_id"], value_set=_distinct(before["item_id"])).to_numpy()
    rows = pd.Index(items["item_id"].to_pylist()).get_indexer(after["item_id"])
    targets = make_targets(enumerate(rows.tolist()), len(after))
    unheard = ~after["query"].isin(before["query"]).to_numpy()
    parts = {"new items": targets.among(~known), "new queries": targets.of_users(unheard)}
    plain = Split(
        name=f"{shop.name} from {split_on}",
        learns=f"{shop.name} before {split_on}",
        learnt=history_table(before),
        asked=_asked(before, after),
        asked_on=after["day"].to_numpy(),
        segments={"all": targets} | {name: part for name, part in parts.items() if len(part.users)},
        seen=None,
        items=items,
        known=known,
    )
    opened = replace(
        plain,
        learnt=_opened(before, before.drop_duplicates("user_id")),
        items=_with_opening(items),
        known=np.append(known, True),
    )
    return _searches(plain, opened, after["query"].tolist(), kept)


def search_categories(plain: Split, kept: Path) -> Searches:
    """Give every user of a leave-one-out split the category path of the target as the query.

    Args:
        plain: with one target per user.
        kept: folder of cached vectors.
    """
    categories = plain.items["category"].combine_chunks()
    learnt = np.concatenate(rows_of_users(plain.learnt, plain.items))  # [E]
    split = replace(
        plain,
        name=f"{plain.name}, by category",
        learnt=_with_queries(plain.learnt, categories.take(pa.array(learnt))),
    )
    targets = plain.segments["all"].items  # [U], in order of the users
    return _searches(plain, split, categories.take(pa.array(targets)).to_pylist(), kept)


def _searches(plain: Split, split: Split, queries: Sequence[str], kept: Path) -> Searches:
    """Embed the queries of training and of the test; training reads only its own."""
    learnt = sorted(set(pc.list_flatten(split.learnt["queries"]).to_pylist()) - {""})
    table = read_text_vectors(map(query_text, {*learnt, *queries}), kept)
    vectors = vector_matrix(table["vector"])
    rows = {name: row for row, name in enumerate(table["text_hash"].to_pylist())}
    trained, asked = (
        vectors[[rows[text_hash(query_text(query))] for query in some]]
        for some in (learnt, queries)
    )
    return Searches(
        plain=plain,
        split=replace(split, query_vectors=pa.table({"query": learnt, "vector": list(trained)})),
        queries=queries,
        vectors=asked,
    )


def _asked(before: pd.DataFrame, clicks: pd.DataFrame) -> pa.Table:
    """A history for every click, of its owner's earlier clicks; the user is the click's number."""
    numbers = [f"{number:07}" for number in range(len(clicks))]
    owners = clicks.assign(owner=clicks["user_id"], user_id=numbers)
    had = before.rename(columns={"user_id": "owner"})
    asked = _opened(owners[["user_id", "owner"]].merge(had, on="owner"), owners)
    days = pc.multiply(pc.list_value_length(asked["item_ids"]), DAYS_PER_WEEK)
    return asked.append_column("day", days.cast(pa.int32()).cast(pa.date32())).append_column(
        "cut", pa.array(["before"] * len(asked), pa.string())
    )


def _opened(events: pd.DataFrame, owners: pd.DataFrame) -> pa.Table:
    """A history for every owner: `OPENING`, then the owner's events, all a week apart."""
    openings = owners.assign(item_id=OPENING, query="")
    rows = pd.concat([openings, events]).sort_values("user_id", kind="stable", ignore_index=True)
    weeks = rows.groupby("user_id").cumcount()
    histories = history_table(rows.assign(time=weeks * DAYS_PER_WEEK * SECONDS_PER_DAY))
    return _with_queries(histories, pa.array(rows["query"], pa.string()))


def _with_queries(histories: pa.Table, queries: pa.Array) -> pa.Table:
    """Histories with one query per event, for all events in order."""
    offsets = histories["item_ids"].combine_chunks().offsets
    column = pa.ListArray.from_arrays(offsets, queries)
    return histories.set_column(histories.column_names.index("queries"), "queries", column)


def _with_opening(items: pa.Table) -> pa.Table:
    """The item table with `OPENING` as the last row, which has an id and no features."""
    width = items.schema.field("text_vector").type.list_size
    nothing = {"text_vector": [0.0] * width, "category": "", "brand": "", "tags": []}
    row = {"item_id": OPENING, "price_bucket": 0, **nothing}
    return pa.concat_tables([items, pa.Table.from_pylist([row], items.schema)])


def _game(titled: tuple[str, str]) -> dict[str, Any]:
    sku, title = titled
    return {"item_id": sku, "title": title, "category_path": [], "tags": []}


def _distinct(names: pd.Series) -> pa.Array:
    return pa.array(names.unique(), pa.string())
