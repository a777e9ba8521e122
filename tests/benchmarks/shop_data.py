"""Real shops: events, items, and text vectors of the items.

A data set is read by the code of its source in `grove.sources`, so that a benchmark trains on what
a day would have landed. Splits are in `splits`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from grove.contracts.arrow_types import arrow_schema
from grove.contracts.load import load_contract
from grove.datasets import ITEMS
from grove.features.ids import SECONDS_PER_DAY
from grove.sources import amazon_reviews, online_retail
from grove.stages.model_inputs import item_table_of
from grove.texts import prompt
from grove.texts.encoder import EncoderSpec, encoder_folder, load_encoder
from grove.texts.fingerprint import encoder_fingerprint
from grove.training.seeds import numpy_generator

_READ_BY_MODELS = ("item_id", *prompt.ITEM_COLUMNS, "price")
ITEM_COLUMNS = pa.schema(
    [arrow_schema(load_contract(ITEMS)).field(name) for name in _READ_BY_MODELS]
)
"""Columns of `items` that a model reads."""
_EVENTS = ["user_id", "item_id", "time", "day", "region"]
_NO_CATALOGUE = {"category_path": [], "tags": []}
_LANDED = date(2000, 1, 1)
"""Day on which a catalogue lands, which no model reads."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A data set before it is split."""

    name: str
    events: pd.DataFrame
    """user_id, item_id, time (seconds since 1970, UTC), day (days since 1970), region; users in
    order of their ids, each user's events in their order."""
    items: pa.Table
    """Columns of `items` that a model reads, one row per item."""


def read_reviews(folder: Path, name: str = "Beauty") -> Shop:
    """Read a department of reviews, in the published order; see `grove.sources.amazon_reviews`.

    The item key is the ASIN: the published integer ids were given in order of the users'
    sequences, test items included. Columns made from what users did later are not read.
    """
    columns = ["user_id", "asin", "timestamp", "pos"]
    reviews = pq.read_table(folder / amazon_reviews.EVENT_FILE, columns=columns)
    reviews = reviews.sort_by([("user_id", "ascending"), ("pos", "ascending")])
    landed = reviews["timestamp"].cast(pa.timestamp("s")).cast(pa.date32())
    days = landed.cast(pa.int32()).to_numpy().astype(np.int64)  # [E]
    events = {"user_id": reviews["user_id"].to_pylist(), "item_id": reviews["asin"].to_pylist()}
    columns = ["asin", "title", "brand", "categories"]
    rows = pq.read_table(folder / amazon_reviews.ITEM_FILE, columns=columns).to_pylist()
    return Shop(
        name=name,
        events=pd.DataFrame(
            {**events, "time": days * SECONDS_PER_DAY, "day": days, "region": ""}, columns=_EVENTS
        ),
        items=_item_rows(amazon_reviews.item_of(row, _LANDED) for row in rows),
    )


def read_orders(folder: Path, name: str = "Online Retail") -> Shop:
    """Read the orders of a wholesaler, without cancellations; see `grove.sources.online_retail`.

    An item's title and price are the first ones its orders state, so that a split by time
    reveals nothing of later days.
    """
    lines = pq.read_table(folder / online_retail.FILE_NAME).to_pylist()
    kept = [line for line in lines if online_retail.left_out_because(line) is None]
    orders = pd.DataFrame(map(online_retail.event_of, kept)).drop_duplicates("event_id")
    orders = orders[orders["event_type"] == "order"].sort_values(["event_time", "event_id"])
    moments = pd.to_datetime(orders["event_time"]).dt.tz_localize(None)
    times = moments.astype("datetime64[s]").astype("int64")
    stated = orders.assign(
        time=times,
        day=times // SECONDS_PER_DAY,
        title=orders["title"].where(orders["title"].fillna("") != ""),
        price=orders["price"].where(orders["price"] > 0),
    )
    first = stated.groupby("item_id")[["title", "price"]].first()
    events = stated.sort_values("user_id", kind="stable", ignore_index=True)[_EVENTS]
    return Shop(name=name, events=events, items=_item_rows(map(_bare_item, first.itertuples())))


def read_item_table(shop: Shop, kept: Path) -> pa.Table:
    """The item table of a shop, its text vectors by the default encoder.

    Args:
        shop: with N items.
        kept: folder of cached vectors.

    Returns:
        N rows; see `grove.features.items.build_item_table`.
    """
    return item_table_of(shop.items, read_text_vectors(prompt.item_texts(shop.items), kept))


def read_text_vectors(texts: Iterable[str], kept: Path) -> pa.Table:
    """text_hash and vector of every distinct text, by the default encoder.

    Args:
        texts: of items or of queries.
        kept: folder of cached vectors.
    """
    named = prompt.texts_by_hash(texts)
    spec = EncoderSpec(folder=encoder_folder("default"))
    key = hashlib.sha256("".join([encoder_fingerprint(spec), *named]).encode()).hexdigest()[:12]
    file = kept / f"text-vectors-{key}.parquet"
    if not file.is_file():
        vectors = load_encoder(spec).encode(list(named.values()))
        kept.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".unfinished")
        pq.write_table(pa.table({"text_hash": list(named), "vector": list(vectors)}), unfinished)
        unfinished.rename(file)
    return pq.read_table(file)


def shuffle_ties(shop: Shop, seed: int) -> Shop:
    """The same shop, with the events of one user and moment in another order.

    Where events are known to the day, the published order inside a day is one choice of many.
    """
    draws = numpy_generator(seed, "ties").random(len(shop.events))
    events = shop.events.assign(draw=draws).sort_values(
        ["user_id", "time", "draw"], ignore_index=True
    )
    return replace(shop, name=f"{shop.name}, ties shuffled", events=events[_EVENTS])


def _item_rows(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), ITEM_COLUMNS)


def _bare_item(stated: Any) -> dict[str, Any]:
    """An item with the title and price of its orders, if any; see `derive_items`."""
    title = stated.title if isinstance(stated.title, str) else stated.Index
    price = None if pd.isna(stated.price) else float(stated.price)
    return {"item_id": stated.Index, "title": title, "price": price, **_NO_CATALOGUE}
