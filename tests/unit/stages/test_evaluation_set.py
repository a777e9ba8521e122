"""The evaluation set of a day: only its targets come from the day itself."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from tests.jobs.shop_day import ENCODER, ITEM_COUNT, land_histories, land_interactions, land_items

from grove.contracts import arrow_schema, load_contract
from grove.datasets import INTERACTIONS, Layout
from grove.runtime.tables import read_arrow, replace_partition
from grove.settings.shop import SourceSettings
from grove.stages.evaluation_set import EvaluationSet, draw_users, read_evaluation_set
from grove.stages.model_inputs import text_vectors

ANNE, BERT, NEW = "user0000", "user0001", "without a history"
TODAY = {ANNE: {"item001", "item002"}, BERT: {"item003"}, NEW: {"item004"}}
BEFORE = {ANNE: {"item002", "item005"}, BERT: {"item006"}}


@pytest.fixture
def shop(layout: Layout, day: date) -> Layout:
    """A day after two earlier ones; two of its three users have a history."""
    land_items(layout, day - timedelta(days=1))
    land_histories(layout, day, users=2)
    land_interactions(layout, day - timedelta(days=8), {BERT: {"item007"}})
    land_interactions(layout, day - timedelta(days=1), BEFORE)
    land_interactions(layout, day, TODAY)
    return layout


def read(layout: Layout, day: date, *, max_users: int = 10, **source: object) -> EvaluationSet:
    return read_evaluation_set(
        layout,
        day,
        vectors=text_vectors(layout, ENCODER),
        source=SourceSettings(**source),
        max_users=max_users,
    )


def pairs(found: EvaluationSet, targets: object) -> set[tuple[str, int]]:
    """User and item row of targets."""
    return {
        (found.users[user], int(item))
        for user, item in zip(targets.users, targets.items, strict=True)
    }


def rows_by_user(found: EvaluationSet) -> dict[str, list[int]]:
    return {user: rows.tolist() for user, rows in zip(found.users, found.excluded, strict=True)}


def move_to(layout: Layout, day: date, hours: int) -> None:
    """Shift the times of the events that landed on a day by some hours."""
    rows = read_arrow(layout, INTERACTIONS, day=day).to_pylist()
    for row in rows:
        row["event_time"] += timedelta(hours=hours)
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(INTERACTIONS)))
    replace_partition(table, layout, INTERACTIONS, {"day": day})


def test_targets_are_the_positives_of_the_day_that_the_user_has_not_seen(shop, day):
    found = read(shop, day)
    assert pairs(found, found.targets) == {(ANNE, 1), (BERT, 3), (NEW, 4)}
    assert pairs(found, found.repurchases) == set()
    assert rows_by_user(found) == {ANNE: [2, 5], BERT: [6, 7], NEW: []}
    assert found.left_out == {
        "user not drawn": 0,
        "item not known the day before": 0,
        "seen before": 1,
    }


def test_where_seen_items_are_recommended_they_are_targets_and_nothing_is_excluded(shop, day):
    found = read(shop, day, keep_seen_items=True)
    assert pairs(found, found.targets) == {(ANNE, 1), (ANNE, 2), (BERT, 3), (NEW, 4)}
    assert pairs(found, found.repurchases) == {(ANNE, 2)}
    assert rows_by_user(found) == {ANNE: [], BERT: [], NEW: []}
    assert found.left_out["seen before"] == 0


@pytest.mark.parametrize("keep_seen", [True, False])
def test_events_of_the_day_and_of_later_days_are_never_part_of_the_past(shop, day, keep_seen):
    before = read(shop, day, keep_seen_items=keep_seen)
    everything = {f"item{row:03d}" for row in range(ITEM_COUNT)}
    land_interactions(shop, day, dict.fromkeys(TODAY, everything))
    land_interactions(shop, day + timedelta(days=1), dict.fromkeys(TODAY, everything))
    after = read(shop, day, keep_seen_items=keep_seen)
    assert after.past_rows.tolist() == before.past_rows.tolist()
    assert set(after.past_days.tolist()) == {day - timedelta(days=8), day - timedelta(days=1)}
    assert rows_by_user(after) == rows_by_user(before)
    assert after.histories.equals(before.histories)
    assert np.array_equal(after.popularity(5), before.popularity(5))


def test_a_positive_that_landed_late_is_no_target_and_is_past_only_on_later_days(shop, day):
    move_to(shop, day, hours=-24)
    found = read(shop, day)
    assert (found.users, len(found.targets.users)) == ([], 0)
    assert found.past_rows.tolist() == read(shop, day).past_rows.tolist()
    assert 1 not in found.past_rows
    tomorrow = day + timedelta(days=1)
    land_histories(shop, tomorrow, users=2)
    land_interactions(shop, tomorrow, {ANNE: {"item001", "item009"}})
    later = read(shop, tomorrow)
    assert pairs(later, later.targets) == {(ANNE, 9)}
    assert rows_by_user(later) == {ANNE: [1, 2, 5]}


def test_only_positive_events_count(shop, day):
    land_interactions(shop, day, TODAY, kind="impression")
    assert read(shop, day).users == []
    assert read(shop, day, positive_events=("impression",)).users == sorted(TODAY)


def test_users_without_a_history_get_the_most_popular_items_that_are_not_excluded(shop, day):
    found = read(shop, day)
    assert found.users == [ANNE, BERT, NEW]
    assert found.known.tolist() == [0, 1]
    assert found.histories["user_id"].to_pylist() == [ANNE, BERT]
    assert [rows.tolist() for rows in found.known_excluded] == [[2, 5], [6, 7]]
    lists = np.array([[10, 11], [12, 13]])
    complete = found.for_all_users(lists)
    assert complete[:2].tolist() == lists.tolist()
    assert complete[2].tolist() == found.popularity(2)[2].tolist() == [2, 5]


def test_recent_popularity_counts_recent_days_only(shop, day):
    found = read(shop, day)
    assert 7 in found.popularity(4)[0]
    recent = found.popularity(3, since=day - timedelta(days=7))
    assert recent[2].tolist() == [2, 5, 6]
    assert 7 not in recent[0]


def test_items_of_the_day_are_new_with_a_catalogue_and_unknown_without(shop, day):
    land_items(shop, day, ITEM_COUNT, ITEM_COUNT + 1)
    land_items(shop, day - timedelta(days=1))
    newest = f"item{ITEM_COUNT:03d}"
    land_items(shop, day, 0, ITEM_COUNT + 1)
    land_interactions(shop, day, {ANNE: {newest}})
    found = read(shop, day)
    assert found.new_items.nonzero()[0].tolist() == [ITEM_COUNT]
    assert pairs(found, found.targets) == {(ANNE, ITEM_COUNT)}
    without = read(shop, day, feeds=("events",))
    assert len(without.item_table) == ITEM_COUNT
    assert len(without.targets.users) == 0
    assert without.left_out["item not known the day before"] == 1


def test_users_are_drawn_by_hash_and_the_others_are_counted(shop, day):
    found = read(shop, day, max_users=1)
    assert found.users == draw_users(sorted(TODAY), day, 1)
    assert found.left_out["user not drawn"] == sum(
        len(items) for user, items in TODAY.items() if user not in found.users
    )
    assert len({tuple(draw_users(sorted(TODAY), day + timedelta(days=n), 1)) for n in range(9)}) > 1


def test_lists_of_one_variant_per_product_know_the_products(shop, day):
    land_items(shop, day - timedelta(days=1), variants=3)
    assert read(shop, day).products is None
    found = read(shop, day, one_variant_per_product=True)
    assert found.products.tolist() == [row // 3 * 3 for row in range(ITEM_COUNT)]
    (listed, *_) = found.popularity(ITEM_COUNT)
    kept = listed[listed >= 0]
    assert len(kept) == len(set(found.products[kept])) > 5


def test_items_without_a_product_are_their_own_products(shop, day):
    assert read(shop, day, one_variant_per_product=True).products.tolist() == list(
        range(ITEM_COUNT)
    )
