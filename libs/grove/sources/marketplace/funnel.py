"""Events after a click: cart, order and cancellation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

KINDS = ("impression", "click", "cart", "order", "cancel")
"""Event types, by the `kind` of a record."""
EVENT = np.dtype(
    [
        ("time", np.int64),  # milliseconds since midnight of the day that made the event
        ("user", np.int32),
        ("item", np.int32),
        ("session", np.int32),
        ("page", np.int32),
        ("query", np.int32),  # code of queries.query_texts; -1 = none
        ("price", np.float64),
        ("kind", np.int8),
        ("position", np.int8),
        ("quantity", np.int8),
        ("device", np.int8),
        ("delay", np.int8),  # days between happening and landing, beyond the day it happened on
    ]
)
"""One event of a simulated day; a record per event, so that large days stay in numpy."""
_CART_SHARE = 0.28
_ORDER_SHARE = (0.45, 0.6, 0.45)
"""Share of carts that are ordered, by device: people order with a keyboard."""
_CANCEL_SHARE = 0.05
_SECOND = 1_000
_HOUR = 3_600 * _SECOND


def follow_clicks(
    clicked: NDArray[np.void], random: np.random.Generator
) -> tuple[NDArray[np.void], ...]:
    """Make the clicks of clicked impressions, and the carts, orders and cancellations after them.

    Args:
        clicked: impressions that were clicked.
        random: generator of the day.

    Returns:
        Clicks, carts, orders, cancellations; each happens after what it follows from.
    """
    clicks = _after(clicked, "click", random.integers(2 * _SECOND, 45 * _SECOND, len(clicked)))
    to_cart = clicks[random.random(len(clicks)) < _CART_SHARE]
    carts = _after(to_cart, "cart", random.integers(5 * _SECOND, 60 * _SECOND, len(to_cart)))
    carts["quantity"] = 1 + (3 * random.random(len(carts)) ** 4).astype(np.int8)
    to_order = carts[random.random(len(carts)) < np.array(_ORDER_SHARE)[carts["device"]]]
    orders = _after(to_order, "order", random.integers(60 * _SECOND, 900 * _SECOND, len(to_order)))
    to_cancel = orders[random.random(len(orders)) < _CANCEL_SHARE]
    cancels = _after(to_cancel, "cancel", random.integers(_HOUR // 2, 40 * _HOUR, len(to_cancel)))
    return clicks, carts, orders, cancels


def _after(
    before: NDArray[np.void], kind: str, milliseconds: NDArray[np.int64]
) -> NDArray[np.void]:
    events = before.copy()
    events["kind"] = KINDS.index(kind)
    events["time"] += milliseconds
    return events
