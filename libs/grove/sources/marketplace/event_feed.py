"""A day's events as the shop's collector writes them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from grove.sources.marketplace.draws import Integers
from grove.sources.marketplace.funnel import KINDS
from grove.sources.marketplace.people import Users
from grove.sources.marketplace.queries import NO_QUERY, query_text
from grove.sources.marketplace.scene import NO_PROMOTION, Scene, promotion_name
from grove.sources.marketplace.taxonomy import DEPARTMENTS, DEVICES, REGIONS, WEATHERS
from grove.sources.marketplace.wording import ITEM_DIGITS
from grove.sources.marketplace.world import World

USER_DIGITS = 7
_SEEN_AT_POSITION = (KINDS.index("impression"), KINDS.index("click"))


def event_table(world: World, events: NDArray[np.void], *, users: Users, scene: Scene) -> pa.Table:
    """Render the events of one day as rows of the feed.

    The id depends on the event alone, so that it is the same whenever the event lands. Weather and
    promotion are those of the visit, also for a cancellation on a later day.

    Args:
        world: the shop.
        events: `funnel.EVENT` records.
        users: all users.
        scene: the day that made the events.

    Returns:
        Table with the columns of the events feed.
    """
    day = world.date_of(scene.index)
    columns = {
        "event_id": _event_ids(day, events),
        "event_type": _words(events["kind"], KINDS),
        "user_id": user_ids(events["user"]),
        "item_id": item_ids(events["item"]),
        "event_time": _times(day, events["time"]),
        "session_id": _joined(f"S{day:%Y%m%d}", _digits(events["session"], 7)),
        "query": _queries(world, events["query"]),
        "page_id": _joined(f"P{day:%Y%m%d}", _digits(events["page"], 7)),
        "position": _where(events["position"], np.isin(events["kind"], _SEEN_AT_POSITION)),
        "price": pa.array(events["price"]),
        "quantity": _where(events["quantity"], events["quantity"] > 0),
        **_scene_columns(users.region[events["user"]], scene),
        "device": _words(events["device"], DEVICES),
    }
    return pa.table(columns)


def user_ids(rows: Integers) -> pa.Array:
    """Ids of users, from their rows."""
    return pc.binary_join_element_wise("U", _digits(rows, USER_DIGITS), "")


def item_ids(rows: Integers) -> pa.Array:
    """Ids of items, from their rows; equal to `wording.item_id`."""
    return pc.binary_join_element_wise("I", _digits(rows, ITEM_DIGITS), "")


def _scene_columns(region: Integers, scene: Scene) -> dict[str, pa.Array]:
    promotions = [promotion_name(row) or "" for row in range(len(DEPARTMENTS))]
    return {
        "region": _words(region, REGIONS),
        "weather": _words(scene.weather[region], WEATHERS),
        "promotion": _words(scene.promotion[region], promotions, absent=NO_PROMOTION),
    }


def _event_ids(day: date, events: NDArray[np.void]) -> pa.Array:
    """Ids are unique: an item is on a page once and has each type of event there at most once."""
    place = (_digits(events["page"], 7), _digits(events["item"], ITEM_DIGITS))
    return _joined(f"E{day:%Y%m%d}", *place, _words(events["kind"], KINDS))


def _joined(*parts: object) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "-")


def _digits(values: Integers, width: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")


def _words(codes: Integers, words: tuple[str, ...] | list[str], *, absent: int = -1) -> pa.Array:
    indices = pa.array(codes, pa.int32(), mask=codes == absent)
    return pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())).dictionary_decode()


def _queries(world: World, codes: Integers) -> pa.Array:
    distinct, rows = np.unique(codes, return_inverse=True)
    texts = [None if code == NO_QUERY else query_text(world, code) for code in distinct.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(rows))


def _times(day: date, milliseconds: Integers) -> pa.Array:
    moments = np.datetime64(day, "ms") + milliseconds.astype("timedelta64[ms]")
    return pc.strftime(pa.array(moments), format="%Y-%m-%dT%H:%M:%SZ")


def _where(values: Integers, is_there: NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=~is_there)
