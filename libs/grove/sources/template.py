"""Template of a source: copy this file and change what it reads.

A source answers five questions: what it is called, which feeds it has, which days it knows, whether
the shop traded on a day, and what each feed's files of a day contain. It writes nothing and knows
no clock: the job `land_source` writes the files and, last of all, the day's marker. Asked twice for
a day it gives the same bytes.

To add a source, write two files:

1. `libs/grove/sources/<name>.py`, a copy of this module; `SOURCE`, at its end, declares it.
2. `infra/environments/<name>.yaml`, a copy of `online-retail.yaml`; `source.name` and
   `source.feeds` are those of the source.

In both names of the second file, hyphens replace underscores. `make run SOURCE=<name> DATA=<path>`
finds the source by them. `README.md` beside this file says what may land: columns, forms of values,
identifiers, and `make check-landing`, which tries one day.

This one reads a file of orders, one per line and as the shop exports it:

    order;time;customer;article;price
    A17;2026-11-19 08:01:02;u1;mug;4.95
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pyarrow as pa

from grove.sources.json_lines import in_files, json_lines
from grove.sources.source import CalendarDay, FeedFiles, SourceKind, SourceOptions, required

_LINES_PER_FILE = 100_000


class OrderFile:
    """A shop whose orders lie in one CSV file.

    Args:
        path: the file; at least one order.
    """

    name = "order-file"
    feeds = ("events",)

    def __init__(self, path: str) -> None:
        with Path(path).open(encoding="utf-8", newline="") as file:
            self._orders = list(csv.DictReader(file, delimiter=";"))

    def days_available(self) -> tuple[date, date | None]:
        """From the first order to the last. A live shop gives no last day."""
        days = [_day(order) for order in self._orders]
        return min(days), max(days)

    def calendar(self, day: date) -> CalendarDay:
        """Open unless nothing was sold; use the shop's own calendar where there is one.

        An open day without events fails the refresh, a closed one is skipped with its reason.
        """
        if any(_day(order) == day for order in self._orders):
            return CalendarDay()
        return CalendarDay(state="closed", reason="no orders in the file")

    def land(self, day: date) -> dict[str, FeedFiles]:
        """One entry per feed; here, the day's orders as events."""
        orders = [order for order in self._orders if _day(order) == day]
        table = pa.table(
            {
                # One id per line: an order of three articles is three events. It is the same
                # whenever the line lands again, since ingest counts an id once; where an article
                # may stand on two lines of an order, add the number of the line. What the id looks
                # like has no effect: events of equal time are ordered by a hash of it.
                "event_id": [f"{order['order']}-{order['article']}" for order in orders],
                "event_type": ["order"] * len(orders),
                "user_id": [order["customer"] for order in orders],
                "item_id": [order["article"] for order in orders],
                # The feed requires ISO-8601 in UTC. Lines of one basket may have one time. Only
                # where the shop knows in which order they were chosen, add it as milliseconds.
                "event_time": [order["time"].replace(" ", "T") + ".000Z" for order in orders],
                "price": [float(order["price"]) for order in orders],
            }
        )
        files = in_files(json_lines(table), lines_per_file=_LINES_PER_FILE)
        return {"events": FeedFiles(files=files, rows=len(orders))}

    def truth(self, day: date) -> None:  # noqa: ARG002 — a source of the Protocol
        """None: only a simulator knows the true ranking."""
        return


def _open(options: SourceOptions) -> OrderFile:
    return OrderFile(required("source.data", options.data, "the file of orders"))


def _day(order: dict[str, str]) -> date:
    return date.fromisoformat(order["time"][:10])


SOURCE = SourceKind(open=_open)
