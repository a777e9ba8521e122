"""Reviews of one department of Amazon, 2014: a shop with a real catalogue, by the day.

The data set is two files. `interactions.parquet`: user_id, asin, timestamp (UTC midnight of a
day); one row per review. `items.parquet`: asin, title, brand, categories (paths from the root).
Beauty has 198,502 reviews of 12,101 items by 22,363 users, 2002-06-12 to 2014-07-23. Sources:
McAuley et al., "Image-based recommendations on styles and substitutes", 2015; the 5-core cut of
S³-Rec, Zhou et al., 2020.

The shop begins on `source.first_day`; earlier reviews are not landed. The file has 4,425 days, most
of them with few reviews, and each would be a landing day with its own files, report and verdicts.
Three of four reviews are from 2013 and 2014. Users whose earlier reviews are left out have shorter
histories.

Landed data, and its interpretation:

- *A review is an order*: the reviewer bought the item. Ratings are not in the file, so a bad review
  counts too. A user reviews an item once, so there are no repurchases.
- *Time* is known to the day. All events of a day happen at its midnight, the first moment of it, so
  none is late and none is of the day before. Nothing says in which order they happened; the file's
  own order within a day is that of the item ids, and is not used. Histories order events of equal
  time by a hash of `event_id`, in this shop as in any other: arbitrary, but deterministic.
- *The cut* has only users and items of at least five reviews, counted over all years. So a user's
  first review implies that more will follow, and no user leaves after one: metrics are those of
  regular customers.
- *The catalogue* lands whole on the shop's first open day. The file does not state when an item
  was added. If an item landed with its first review, it would be new exactly when a user buys it,
  and a model could read the day's targets off the catalogue. So no item is ever new here.
- *Title, brand and categories* have their HTML entities resolved, also those that were escaped
  twice; the brand "Unknown" is none. The first category path is the item's; the last name of every
  other path is a tag.
- *Price, stock, regions, description* are not in the file.
- Left out on purpose: `also_bought`, `also_viewed`, `bought_together` and published codes, all
  derived from later behaviour.
- A day without a review is closed.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.errors import DataError, SettingsError
from grove.sources.data_file import require_columns
from grove.sources.json_lines import in_files, json_lines
from grove.sources.source import CalendarDay, FeedFiles, SourceKind, SourceOptions, required

EVENT_FILE, ITEM_FILE = "interactions.parquet", "items.parquet"
_COLUMNS = {
    EVENT_FILE: ("user_id", "asin", "timestamp"),
    ITEM_FILE: ("asin", "title", "brand", "categories"),
}
_EVENTS = pa.schema(
    [(name, pa.string()) for name in ("event_id", "event_type", "user_id", "item_id", "event_time")]
)
_ITEMS = pa.schema(
    [
        ("item_id", pa.string()),
        ("title", pa.string()),
        ("brand", pa.string()),
        ("category_path", pa.list_(pa.string())),
        ("tags", pa.list_(pa.string())),
        ("regions", pa.list_(pa.string())),
        ("first_seen", pa.string()),
    ]
)
_NO_BRAND = "Unknown"
_LINES_PER_FILE = 100_000
Row = dict[str, Any]


class AmazonReviews:
    """The two files of a department, cut into days.

    Args:
        folder: folder that holds both files.
        first_day: day the shop begins; earlier reviews are not landed. None: the file's first.

    Raises:
        SettingsError: a file is not there, or the file ends before the first day.
        DataError: a file is cut short or is no Parquet file, or lacks a column.
    """

    name = "amazon-reviews"
    feeds = ("events", "catalogue")

    def __init__(self, folder: str, first_day: date | None = None) -> None:
        self._folder = Path(folder)
        for name, columns in _COLUMNS.items():
            _require_file(self._folder / name, columns)
        self._require_days()
        began, self._last = (pc.min_max(self._days)[end].as_py() for end in ("min", "max"))
        self._first: date = max(began, first_day or began)
        if self._first > self._last:
            raise SettingsError(
                "the shop begins after its data end",
                where="settings, source.first_day",
                expected=f"a day from {began} to {self._last}",
                found=str(first_day),
                next_step="correct the first day",
            )

    def days_available(self) -> tuple[date, date | None]:
        """From the shop's first day to the file's last."""
        return self._first, self._last

    def calendar(self, day: date) -> CalendarDay:
        """Closed on a day of which the file has no review."""
        if day in self._open_days:
            return CalendarDay()
        return CalendarDay(state="closed", reason="no review in the file")

    def land(self, day: date) -> dict[str, FeedFiles]:
        """The day's reviews; on the first open day the whole catalogue, later none of it."""
        reviews = self._reviews.filter(pc.equal(self._days, pa.scalar(day))).to_pylist()
        items = self._items if day == self._catalogue_day else []
        return {
            "events": _files([event_of(review, day) for review in reviews], _EVENTS),
            "catalogue": _files([item_of(item, day) for item in items], _ITEMS),
        }

    def truth(self, day: date) -> None:  # noqa: ARG002 — a source of the Protocol
        """None: the true ranking of real customers is unknown."""
        return

    def _require_days(self) -> None:
        """Reject a file without reviews, or with a review without a day."""
        without = self._days.null_count
        if len(self._days) and not without:
            return
        raise DataError(
            "the reviews have no days",
            where=str(self._folder / EVENT_FILE),
            expected="at least one review, each with a timestamp",
            found=f"{len(self._days)} reviews, {without} without a timestamp",
            next_step="fetch the review data set again",
        )

    @cached_property
    def _reviews(self) -> pa.Table:
        columns = list(_COLUMNS[EVENT_FILE])
        return pq.read_table(self._folder / EVENT_FILE, columns=columns)

    @cached_property
    def _items(self) -> list[Row]:
        columns = list(_COLUMNS[ITEM_FILE])
        table = pq.read_table(self._folder / ITEM_FILE, columns=columns).sort_by("asin")
        rows: list[Row] = table.to_pylist()
        return rows

    @cached_property
    def _days(self) -> pa.ChunkedArray:
        return self._reviews["timestamp"].cast(pa.timestamp("s")).cast(pa.date32())

    @cached_property
    def _open_days(self) -> frozenset[date]:
        return frozenset(self._days.unique().to_pylist())

    @cached_property
    def _catalogue_day(self) -> date:
        return min(day for day in self._open_days if day >= self._first)


def event_of(review: Row, day: date) -> Row:
    """Turn a review into an order of the feed."""
    pair = f"{review['user_id']}\x1f{review['asin']}\x1f{review['timestamp']}"
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return {
        "event_id": blake2b(pair.encode(), digest_size=12).hexdigest(),
        "event_type": "order",
        "user_id": review["user_id"],
        "item_id": review["asin"],
        "event_time": f"{midnight:%Y-%m-%dT%H:%M:%S}.000Z",
    }


def item_of(item: Row, day: date) -> Row:
    """Turn an item of the file into a row of the catalogue.

    Example:
        >>> item = {"asin": "B1", "title": "Soap &amp; Oil", "brand": "Unknown"}
        >>> row = item_of(item | {"categories": [["Beauty", "Bath"], ["Gifts"]]}, date(2013, 7, 1))
        >>> row["title"], row["brand"], row["category_path"], row["tags"]
        ('Soap & Oil', None, ['Beauty', 'Bath'], ['Gifts'])
    """
    paths: Sequence[Sequence[str]] = [
        [_plain(name) for name in path] for path in item["categories"] or ()
    ]
    brand = _plain(item["brand"] or "")
    return {
        "item_id": item["asin"],
        # An item without a title gets its id as title, so that it has a text.
        "title": _plain(item["title"] or "") or item["asin"],
        "brand": brand if brand and brand != _NO_BRAND else None,
        "category_path": list(paths[0]) if paths else [],
        "tags": sorted({path[-1] for path in paths[1:] if path}),
        "regions": [],
        "first_seen": f"{day:%Y-%m-%d}",
    }


def _plain(text: str) -> str:
    """Text without HTML entities, with single spaces; some were escaped twice."""
    return " ".join(html.unescape(html.unescape(text)).split())


def _files(rows: list[Row], schema: pa.Schema) -> FeedFiles:
    lines = json_lines(pa.Table.from_pylist(rows, schema))
    return FeedFiles(files=in_files(lines, lines_per_file=_LINES_PER_FILE), rows=len(rows))


def _require_file(file: Path, columns: Sequence[str]) -> None:
    if not file.is_file():
        raise SettingsError(
            "the data set does not exist",
            where="settings, source.data",
            expected=f"a folder with {' and '.join(_COLUMNS)}",
            found=f"no {file}",
            next_step="give the folder of the review data set",
        )
    require_columns(file, columns, data_set="review")


def _open(options: SourceOptions) -> AmazonReviews:
    folder = required("source.data", options.data, "the folder of the data set")
    return AmazonReviews(folder, options.first_day)


SOURCE = SourceKind(open=_open)
