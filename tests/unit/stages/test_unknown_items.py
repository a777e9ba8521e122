"""Events of items that the catalogue does not have by their day."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest

from grove.contracts import arrow_schema, load_contract
from grove.datasets import INTERACTIONS, ITEMS, Layout
from grove.runtime.tables import create_tables, replace_partition
from grove.stages.unknown_items import count_unknown_items

DAYS = [date(2026, 8, 20) + timedelta(days=days) for days in range(3)]


@pytest.fixture
def home(tmp_path) -> Layout:
    layout = Layout(str(tmp_path))
    create_tables(layout)
    return layout


def items(day: date, *names: str) -> pa.Table:
    rows = [
        {"day": day, "item_id": name, "title": name, "first_seen": day}
        | {"category_path": [], "tags": [], "regions": []}
        for name in names
    ]
    return pa.Table.from_pylist(rows, arrow_schema(load_contract(ITEMS)))


def events(*pairs: tuple[date, str]) -> pa.Table:
    days, names = zip(*pairs, strict=True) if pairs else ((), ())
    return pa.table({"day": pa.array(days, pa.date32()), "item_id": pa.array(names, pa.string())})


def test_an_item_is_known_from_the_day_it_lands(home):
    replace_partition(items(DAYS[0], "old"), home, ITEMS, {"day": DAYS[0]})
    frames = {
        INTERACTIONS: events(
            *[(DAYS[1], name) for name in ("old", "new", "later", "later")],
            *[(DAYS[2], name) for name in ("old", "new", "later", "never")],
        ),
        ITEMS: pa.concat_tables([items(DAYS[1], "new"), items(DAYS[2], "later")]),
    }
    assert count_unknown_items(home, frames, DAYS[1:]) == {DAYS[1]: (2, 4), DAYS[2]: (1, 4)}


def test_rows_of_the_ingested_and_later_days_are_not_the_past(home):
    replace_partition(items(DAYS[1], "of the day"), home, ITEMS, {"day": DAYS[1]})
    replace_partition(items(DAYS[2], "later"), home, ITEMS, {"day": DAYS[2]})
    frames = {
        INTERACTIONS: events((DAYS[1], "of the day"), (DAYS[1], "later")),
        ITEMS: items(DAYS[1]),
    }
    assert count_unknown_items(home, frames, DAYS[1:2]) == {DAYS[1]: (2, 2)}


def test_a_day_without_events_has_none(home):
    frames = {INTERACTIONS: events(), ITEMS: items(DAYS[0], "old")}
    assert count_unknown_items(home, frames, DAYS[:1]) == {DAYS[0]: (0, 0)}
