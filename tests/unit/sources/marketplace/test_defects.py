import json
from datetime import date

import pyarrow as pa

from grove.sources.marketplace.defects import (
    CATALOGUE_SPOILERS,
    EVENT_SPOILERS,
    spoil_catalogue,
    spoil_events,
)

DAY = date(2026, 11, 19)


def good_lines(count):
    return pa.array(
        [
            json.dumps(
                {
                    "event_id": f"E{number}",
                    "event_type": "impression",
                    "user_id": "U1",
                    "item_id": "I1",
                    "event_time": "2026-11-19T08:00:00.000Z",
                    "query": None,
                    "price": 4.95,
                    "quantity": None,
                }
            )
            for number in range(count)
        ]
    )


def defects_of(line):
    """Defect of a line, by plain rules; empty for a good one."""
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError:
        return {"not UTF-8"}
    except json.JSONDecodeError:
        return {"malformed JSON"}
    if "item_id" not in row:
        return {"missing key"}
    price, quantity = row["price"], row["quantity"]
    is_number = isinstance(price, float)
    found = {
        "null in key": row["user_id"] is None,
        "unknown event type": row["event_type"] != "impression",
        "unparseable time": not row["event_time"].startswith("20"),
        "wrong type": not is_number,
        "negative price": is_number and price < 0,
        "negative quantity": quantity is not None and quantity < 0,
        "absurd price": is_number and price > 1_000_000,
        "in the future": row["event_time"].startswith("2026-11-24"),
        "too late": row["event_time"].startswith("2026-11-07"),
    }
    return {name for name, is_so in found.items() if is_so}


def test_every_kind_of_defect_is_there_and_no_good_row_is_lost():
    lines = spoil_events(7, DAY, good_lines(2_500)).to_pylist()
    found = [defects_of(line) for line in lines]
    assert set().union(*found) == set(EVENT_SPOILERS)
    assert all(len(defects) <= 1 for defects in found)
    good = [
        json.loads(line)["event_id"]
        for line, defects in zip(lines, found, strict=True)
        if not defects
    ]
    assert set(good) == {f"E{number}" for number in range(2_500)}
    assert 0 < len(good) - 2_500 < 30  # duplicates, word for word
    assert sum(bool(defects) for defects in found) == 25


def test_the_first_copy_of_a_duplicate_keeps_its_place():
    lines = spoil_events(7, DAY, good_lines(2_500)).to_pylist()
    ids = [json.loads(line)["event_id"] for line in lines if not defects_of(line)]
    first = sorted(set(ids), key=ids.index)
    assert first == [f"E{number}" for number in range(2_500)]


def test_no_lines_stay_no_lines():
    assert spoil_events(7, DAY, pa.array([], pa.string())).to_pylist() == []
    assert spoil_catalogue(0, DAY, pa.array([], pa.string())).to_pylist() == []


def test_the_catalogue_gets_one_broken_row_a_day():
    good = pa.array(['{"item_id":"I1","title":"mug","price":4.95}'])
    broken = [spoil_catalogue(index, DAY, good).to_pylist()[1] for index in range(4)]
    assert len(set(broken)) == len(CATALOGUE_SPOILERS) == 4
    assert b'"title"' not in broken[1]
