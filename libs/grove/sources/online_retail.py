"""A year of a real British gift shop: UCI Online Retail, order lines and cancellations.

The data set is one file, `online_retail.snappy.parquet`: InvoiceNo, StockCode, Description,
Quantity, InvoiceDate, UnitPrice, CustomerID, Country; 541,909 lines from 2010-12-01 to 2011-12-09,
whose last day ends at 12:50. It has no clicks, no catalogue and no users, so the only feed is
`events`. Source: Chen, Sain & Guo, "Data mining for the online retail industry", 2012.

Landed rows, and rows left out on purpose (the marker counts them, by reason):

- *Order or cancel.* An invoice number that begins with C is a cancellation, any other an order. A
  cancellation's quantity is negative in the file and positive here: the event type says it already.
- `non_product`: postage, carriage, discounts, manual entries, bank and marketplace fees,
  commissions, samples, bad debt (the only negative prices) and gift vouchers are no items. An item
  has a code of five digits and up to two letters, begins with DCGS, or is PADS.
- `stock_adjustment`: a negative quantity without a cancellation is a count of the warehouse
  (damaged, lost, "ebay"); no customer, no price.
- `missing_customer`: one line in four has no customer, and so no user to recommend to.
- *Exact duplicates* are landed. The file has no line number, so a repeated line cannot be
  distinguished from a second piece. `event_id` is a hash of the line's content: equal lines
  collide, and ingest counts them as duplicates.
- *Price zero* with a customer is a free gift (34 lines): it is positive feedback, so it is landed.
- *Codes* are upper-cased: `85123a` and `85123A` are one item. The description is the item's title,
  with single spaces.
- *Time* has no zone in the file; it is taken as UTC. All lines of an invoice have one time; nothing
  says in which order they were chosen, so histories order them by a hash of `event_id`.
- *Region* is the customer's country.
- *Days without trade* are closed: every Saturday, the days around Christmas and the public holidays
  named below. A day is closed when the file has no line of it at all.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.errors import SettingsError
from grove.sources.data_file import require_columns
from grove.sources.json_lines import in_files, json_lines
from grove.sources.source import CalendarDay, FeedFiles, SourceKind, SourceOptions, required

FILE_NAME = "online_retail.snappy.parquet"
_ITEM_CODE = r"^(\d{5}[A-Z]{0,2}|DCGS\w*|PADS)$"
_SATURDAY = 5
_HOLIDAYS = {
    date(2011, 4, 22): "Good Friday",
    date(2011, 4, 24): "Easter Sunday",
    date(2011, 4, 25): "Easter Monday",
    date(2011, 4, 29): "royal wedding, public holiday",
    date(2011, 5, 2): "early May bank holiday",
    date(2011, 5, 30): "spring bank holiday",
    date(2011, 8, 29): "summer bank holiday",
}
_CHRISTMAS_BREAK = (date(2010, 12, 24), date(2011, 1, 3))
_EVENTS = pa.schema(
    [
        ("event_id", pa.string()),
        ("event_type", pa.string()),
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("event_time", pa.string()),
        ("session_id", pa.string()),
        ("price", pa.float64()),
        ("quantity", pa.int64()),
        ("region", pa.string()),
        ("title", pa.string()),
    ]
)
_COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
Line = dict[str, Any]


class OnlineRetail:
    """The shop's file, cut into days.

    Args:
        folder: folder that holds `online_retail.snappy.parquet`.

    Raises:
        SettingsError: the file is not there.
        DataError: the file is cut short or is no Parquet file, or lacks a column.
    """

    name = "online-retail"
    feeds = ("events",)

    def __init__(self, folder: str) -> None:
        self._file = Path(folder) / FILE_NAME
        if not self._file.is_file():
            raise SettingsError(
                "the data set does not exist",
                where="settings, source.data",
                expected=f"a folder with {FILE_NAME}",
                found=folder,
                next_step="give the folder of the UCI Online Retail data set",
            )
        require_columns(self._file, _COLUMNS, data_set="UCI Online Retail")

    def days_available(self) -> tuple[date, date | None]:
        """First and last day of the file."""
        return min(self._trading_days), max(self._trading_days)

    def calendar(self, day: date) -> CalendarDay:
        """Closed on a day of which the file has no line; the reason says which kind of day."""
        if day in self._trading_days:
            return CalendarDay()
        return CalendarDay(state="closed", reason=_closing_reason(day))

    def land(self, day: date) -> dict[str, FeedFiles]:
        """The day's order lines and cancellations, and how many lines were left out and why."""
        lines = self._lines.filter(pc.equal(self._days, pa.scalar(day))).to_pylist()
        reasons = [left_out_because(line) for line in lines]
        events = [
            event_of(line) for line, reason in zip(lines, reasons, strict=True) if reason is None
        ]
        left_out = Counter(reason for reason in reasons if reason is not None)
        content = json_lines(pa.Table.from_pylist(events, _EVENTS))
        files = in_files(content, lines_per_file=max(len(events), 1))
        return {
            "events": FeedFiles(
                files=files, rows=len(events), left_out=dict(sorted(left_out.items()))
            )
        }

    def truth(self, day: date) -> None:  # noqa: ARG002 — a source of the Protocol
        """None: the true ranking of real customers is unknown."""
        return

    @cached_property
    def _lines(self) -> pa.Table:
        return pq.read_table(self._file)

    @cached_property
    def _days(self) -> pa.ChunkedArray:
        return self._lines["InvoiceDate"].cast(pa.timestamp("us")).cast(pa.date32())

    @cached_property
    def _trading_days(self) -> frozenset[date]:
        return frozenset(self._days.unique().to_pylist())


def left_out_because(line: Line) -> str | None:
    """Why a line of the file is not landed; none when it is."""
    if not _is_item(_code(line)):
        return "non_product"
    if line["Quantity"] < 0 and not _is_cancellation(line):
        return "stock_adjustment"
    if line["CustomerID"] is None or line["CustomerID"] != line["CustomerID"]:
        return "missing_customer"
    return None


def event_of(line: Line) -> Line:
    """Turn a line of the file into an event of the feed."""
    time: datetime = line["InvoiceDate"]
    description = line["Description"]
    return {
        "event_id": _content_hash(line),
        "event_type": "cancel" if _is_cancellation(line) else "order",
        "user_id": str(int(line["CustomerID"])),
        "item_id": _code(line),
        "event_time": f"{time:%Y-%m-%dT%H:%M:%S}.000Z",
        "session_id": line["InvoiceNo"],
        "price": line["UnitPrice"],
        "quantity": abs(line["Quantity"]),
        "region": line["Country"],
        "title": None if description is None else " ".join(description.split()),
    }


def _code(line: Line) -> str:
    return str(line["StockCode"]).strip().upper()


def _is_item(code: str) -> bool:
    return re.match(_ITEM_CODE, code) is not None


def _is_cancellation(line: Line) -> bool:
    return str(line["InvoiceNo"]).startswith("C")


def _content_hash(line: Line) -> str:
    content = "\x1f".join(f"{name}={line[name]}" for name in sorted(line))
    return blake2b(content.encode(), digest_size=12).hexdigest()


def _closing_reason(day: date) -> str:
    if day in _HOLIDAYS:
        return _HOLIDAYS[day]
    if _CHRISTMAS_BREAK[0] <= day <= _CHRISTMAS_BREAK[1]:
        return "Christmas break"
    if day.weekday() == _SATURDAY:
        return "no trade on Saturdays"
    return "no trade recorded"


def _open(options: SourceOptions) -> OnlineRetail:
    return OnlineRetail(required("source.data", options.data, "the folder of the data set"))


SOURCE = SourceKind(open=_open)
