"""The feeds beside events: catalogue rows, users and context of a day."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from grove.sources.marketplace.behaviour import Shop
from grove.sources.marketplace.draws import Integers, uniforms
from grove.sources.marketplace.event_feed import user_ids
from grove.sources.marketplace.products import prices, stock
from grove.sources.marketplace.scene import promotion_name
from grove.sources.marketplace.taxonomy import AGE_BANDS, DEVICES, REGIONS, WEATHERS
from grove.sources.marketplace.wording import describe

_SHARE_WITHOUT_AGE = 0.1


def catalogue_table(shop: Shop) -> pa.Table:
    """Catalogue rows to land: all on the first day, then those that are new or have changed."""
    items, index = shop.items, shop.scene.index
    price, pieces = prices(shop.world, items, index), stock(shop.world, items, index)
    rows = []
    for row in changed_items(shop).tolist():
        sold_in = [name for name, sold in zip(REGIONS, items.sold_in[row], strict=True) if sold]
        rows.append(
            {
                **describe(shop.world, items, row),
                "price": float(price[row]),
                "stock": int(pieces[row]),
                "regions": sold_in,
                "first_seen": shop.world.date_of(int(items.first_index[row])).isoformat(),
            }
        )
    return pa.Table.from_pylist(rows, _CATALOGUE)


def changed_items(shop: Shop) -> Integers:
    """Rows of the items whose catalogue row differs from the day before."""
    world, items, index = shop.world, shop.items, shop.scene.index
    if index == 0:
        return np.arange(len(items))
    has_changed = (
        (items.first_index == index)
        | (prices(world, items, index) != prices(world, items, index - 1))
        | (stock(world, items, index) != stock(world, items, index - 1))
    )
    return np.flatnonzero(has_changed)


def user_table(shop: Shop) -> pa.Table:
    """Users to land: all on the first day, then those who signed up."""
    users, world, index = shop.users, shop.world, shop.scene.index
    rows = np.flatnonzero((users.signup_index == index) | (index == 0))
    unknown = uniforms(world.seed, "age told", shape=(len(users),)) < _SHARE_WITHOUT_AGE
    signup = np.datetime64(world.first_day, "D") + users.signup_index[rows]
    return pa.table(
        {
            "user_id": user_ids(rows),
            "region": pa.array(np.array(REGIONS)[users.region[rows]]),
            "device": pa.array(np.array(DEVICES)[users.device[rows]]),
            "age_band": pa.array(np.array(AGE_BANDS)[users.age_band[rows]], mask=unknown[rows]),
            "signup_day": pa.array(signup.astype(str)),
        }
    )


def context_table(shop: Shop) -> pa.Table:
    """Scene of the day, one row per region."""
    scene = shop.scene
    return pa.table(
        {
            "region": pa.array(REGIONS),
            "weather": pa.array([WEATHERS[row] for row in scene.weather]),
            "temperature_celsius": pa.array(scene.temperature_celsius),
            "promotion": pa.array(
                [promotion_name(int(row)) for row in scene.promotion], pa.string()
            ),
            "calendar_event": pa.array([scene.calendar_event] * len(REGIONS), pa.string()),
        }
    )


_CATALOGUE = pa.schema(
    [
        ("item_id", pa.string()),
        ("title", pa.string()),
        ("description", pa.string()),
        ("brand", pa.string()),
        ("category_path", pa.list_(pa.string())),
        ("tags", pa.list_(pa.string())),
        ("price", pa.float64()),
        ("stock", pa.int64()),
        ("regions", pa.list_(pa.string())),
        ("first_seen", pa.string()),
    ]
)
