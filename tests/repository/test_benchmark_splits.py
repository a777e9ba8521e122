"""Splits of a shop: no target is in the training data, by hypothesis and on real data."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.benchmarks import protocol, shop_data, splits
from tests.benchmarks.splits import Split
from tests.repository.tiny_shop import EPOCH, Purchases, bare_items, shop_of, walks

from grove.features.sequences import HistoryEncoder
from grove.features.vocabulary import Vocabulary


def items_by_user(histories: pa.Table) -> dict[str, list[str]]:
    columns = (histories[name].to_pylist() for name in ("user_id", "item_ids"))
    return dict(zip(*columns, strict=True))


def pairs_of(split: Split, segment: str = "all") -> set[tuple[str, str]]:
    users, items = split.asked["user_id"].to_pylist(), split.items["item_id"].to_pylist()
    targets = split.segments.get(segment)
    if targets is None:
        return set()
    return {
        (users[user], items[item]) for user, item in zip(targets.users, targets.items, strict=True)
    }


@st.composite
def purchases(draw: st.DrawFn, *, repeated: bool) -> Purchases:
    """Some users with some events each, in order of day."""
    found: Purchases = {}
    for user in range(draw(st.integers(1, 5))):
        items = draw(st.lists(st.integers(0, 9), min_size=1, max_size=7, unique=not repeated))
        days = sorted(draw(st.integers(0, 20)) for _ in items)
        found[f"user{user}"] = list(zip(items, days, strict=True))
    return found


@given(
    purchases(repeated=False),
    st.sampled_from(["test", "valid"]),
    st.sampled_from(["train", "before"]),
    st.sampled_from(["order", "real"]),
)
def test_one_event_is_left_out_and_no_later_one_is_read(found, evaluated, learn, clock):
    if not any(len(events) > {"test": 1, "valid": 2}[evaluated] for events in found.values()):
        return
    split = splits.leave_one_out(
        shop_of(found), bare_items(), evaluated=evaluated, learn=learn, clock=clock
    )
    behind = {"test": 0, "valid": 1}[evaluated]
    hidden = behind + 1 if learn == "before" else 2
    names = {user: [f"item{item:02d}" for item, _ in events] for user, events in found.items()}
    asked = {user: items[: -behind - 1] for user, items in names.items()}
    asked = {user: items for user, items in asked.items() if items}
    learnt = {user: items[:-hidden] for user, items in names.items()}
    assert items_by_user(split.asked) == asked
    assert items_by_user(split.learnt) == {user: items for user, items in learnt.items() if items}
    assert pairs_of(split) == {(user, names[user][-behind - 1]) for user in asked}
    assert split.asked_on.tolist() == [found[user][-behind - 1][1] for user in asked]
    assert split.known.all()


@given(purchases(repeated=True), st.integers(1, 19), st.integers(1, 10), st.booleans())
def test_a_split_by_time_has_no_training_data_of_its_test_days(found, start, length, repurchases):
    rows = [(user, f"item{item:02d}", day) for user in found for item, day in found[user]]
    before = [row for row in rows if row[2] < start]
    had = {(user, item) for user, item, _ in before}
    users = {user for user, _ in had}
    later = {row[:2] for row in rows if start <= row[2] < start + length and row[0] in users}
    if not later:
        return
    split = splits.by_time(
        shop_of(found),
        bare_items(),
        split_on=EPOCH + timedelta(days=start),
        until=EPOCH + timedelta(days=start + length),
        repurchases=repurchases,
    )
    known = {item for _, item, _ in before}
    targets = later if repurchases else later - had
    assert Counter(
        item for items in items_by_user(split.learnt).values() for item in items
    ) == Counter(item for _, item, _ in before)
    assert set(items_by_user(split.asked)) == {user for user, _ in later}
    assert set(np.array(split.items["item_id"].to_pylist())[split.known]) == known
    assert pairs_of(split) == targets
    assert pairs_of(split, "new items") == {
        (user, item) for user, item in targets if item not in known
    }
    assert pairs_of(split, "repurchases") == (later & had if repurchases else set())
    assert (split.seen is None) == repurchases


def recency_of(split: Split) -> np.ndarray:
    ids = split.items["item_id"].combine_chunks()
    return HistoryEncoder(vocabulary=Vocabulary(), item_ids=ids).encode(split.asked).recency


def test_a_clock_of_order_hides_time_and_a_real_one_reveals_the_day_of_the_target():
    one = {"a": [(0, 0), (1, 30), (2, 30)], "b": [(3, 1), (4, 1), (5, 9)]}
    ordered, real = (
        splits.leave_one_out(
            shop_of(one), bare_items(), evaluated="test", learn="train", clock=clock
        )
        for clock in ("order", "real")
    )
    assert len(set(recency_of(ordered))) == 1
    doublings = [np.floor(np.log2(gap * 86_400 + 1)) for gap in (30, 0, 0, 8)]
    assert recency_of(real).tolist() == [doubled + 1 for doubled in doublings]
    assert ordered.asked["landed_days"].to_pylist() == real.asked["landed_days"].to_pylist()


def test_only_ties_are_shuffled():
    shop = shop_of(walks())
    shuffled, again, other = (shop_data.shuffle_ties(shop, seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(shuffled.events, again.events)
    assert shuffled.events["item_id"].tolist() != other.events["item_id"].tolist()
    kept = ["user_id", "time"]
    assert shuffled.events[kept].values.tolist() == shop.events[kept].values.tolist()
    everything = [*kept, "item_id"]
    before, after = (
        sorted(one.events[everything].itertuples(index=False)) for one in (shop, shuffled)
    )
    assert before == after


@pytest.mark.slow
@pytest.mark.real_data
def test_online_retail_customers_reorder(real_data_folder: Path) -> None:
    shop = shop_data.read_orders(real_data_folder / "uci_online_retail")
    items = shop.items.select(["item_id"]).sort_by("item_id")
    split = splits.by_time(shop, items, split_on=protocol.RETAIL_DAY, repurchases=True)
    again, every = (len(split.segments[name].users) for name in ("repurchases", "all"))
    assert again / every == pytest.approx(0.514, abs=0.001)
    assert not shop.items["title"].null_count
