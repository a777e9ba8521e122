import json
from datetime import date, timedelta

import numpy as np
import pytest

from grove.sources.marketplace import Marketplace
from grove.sources.marketplace.replay import positive_pairs
from grove.sources.marketplace.world import World

FIRST_DAY = date(2026, 10, 20)


def content(source, day):
    return {feed: b"".join(files.files) for feed, files in source.land(day).items()}


def rows_of(raw):
    rows = []
    for line in raw.splitlines():
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue
    return rows


def test_a_day_alone_equals_the_day_in_sequence(world, shop_source):
    days = [FIRST_DAY + timedelta(days=offset) for offset in range(9)]
    in_order = [(content(shop_source, day), shop_source.truth(day)) for day in days]
    for offset in (0, 4, 8):
        alone = Marketplace(world)
        assert content(alone, days[offset]) == in_order[offset][0]
        assert alone.truth(days[offset]).equals(in_order[offset][1])


def test_landing_again_or_backwards_gives_the_same_bytes(shop_source):
    days = [FIRST_DAY + timedelta(days=offset) for offset in (7, 1, 7)]
    last, first, again = (content(shop_source, day) for day in days)
    assert last == again
    assert first == content(shop_source, days[1])


def test_another_seed_is_another_shop(world, shop_source):
    other = Marketplace(World(8, world.size, world.first_day))
    assert content(other, FIRST_DAY)["events"] != content(shop_source, FIRST_DAY)["events"]


def test_rows_are_counted(shop_source):
    for files in shop_source.land(FIRST_DAY).values():
        assert b"".join(files.files).count(b"\n") == files.rows


def test_the_first_day_has_the_whole_catalogue_and_later_days_what_changed(world, shop_source):
    first = rows_of(content(shop_source, FIRST_DAY)["catalogue"])
    later = rows_of(content(shop_source, FIRST_DAY + timedelta(days=3))["catalogue"])
    assert len({row.get("item_id") for row in first} - {None}) == world.size.items
    assert 0 < len(later) < world.size.items / 2
    assert any(row.get("first_seen") == "2026-10-23" for row in later)


def test_users_land_once(world, shop_source):
    first = rows_of(content(shop_source, FIRST_DAY)["users"])
    second = rows_of(content(shop_source, FIRST_DAY + timedelta(days=1))["users"])
    assert len(first) == world.size.users
    assert [row["signup_day"] for row in second] == ["2026-10-21"]


def test_the_context_has_a_row_per_region(shop_source):
    rows = rows_of(content(shop_source, FIRST_DAY)["context"])
    assert {row["region"] for row in rows} == {"north", "south", "east", "west", "islands"}


def test_events_name_known_users_and_items_and_ids_are_unique(shop_source):
    first = content(shop_source, FIRST_DAY)
    items = {row.get("item_id") for row in rows_of(first["catalogue"])}
    users = {row["user_id"] for row in rows_of(first["users"])} | {None}
    events = rows_of(first["events"])
    assert {event["user_id"] for event in events} <= users
    assert {event.get("item_id") for event in events} <= items | {None}
    distinct = {json.dumps(event) for event in events}
    assert len({json.loads(event)["event_id"] for event in distinct}) == len(distinct)


def test_the_truth_covers_the_users_with_a_positive_that_day(world, shop_source, lived_days):
    day = lived_days[6]
    truth = shop_source.truth(FIRST_DAY + timedelta(days=6)).to_pylist()
    users = np.unique(positive_pairs(day.landed[-1]) >> 32)
    assert [row["user_id"] for row in truth] == [f"U{user:07d}" for user in users]
    seen = {(f"U{pair >> 32:07d}", f"I{pair & 0xFFFFFFFF:06d}") for pair in day.seen.tolist()}
    for row in truth:
        assert 0 < len(row["item_ids"]) <= 100
        assert len(row["item_ids"]) == len(row["probabilities"])
        assert row["probabilities"] == sorted(row["probabilities"], reverse=True)
        assert not any((row["user_id"], item) in seen for item in row["item_ids"])


def test_seen_items_stay_where_repurchases_count(world):
    day = FIRST_DAY + timedelta(days=6)
    kept = Marketplace(world, keep_seen_items=True).truth(day)
    left_out = Marketplace(world).truth(day)
    assert not kept.equals(left_out)
    assert kept["user_id"].equals(left_out["user_id"])


def test_the_shop_never_closes_and_never_ends(shop_source):
    assert shop_source.days_available() == (FIRST_DAY, None)
    assert shop_source.calendar(FIRST_DAY).state == "open"


@pytest.mark.parametrize("size", ["medium", "large"])
def test_larger_sizes_exist(size):
    from grove.sources.marketplace.world import SIZES

    assert SIZES[size].items > SIZES["small"].items
