"""Histories as arrays, against a reference implementation; ends and gaps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.training.synthetic import DAY, histories_of, shop_items, shop_vocabulary

from grove.features.ids import RECENCY_BUCKETS
from grove.features.sequences import HistoryEncoder, recency_bucket
from grove.features.vocabulary import Vocabulary
from grove.nn.embeddings import EventEmbedding

ITEMS = shop_items(6)


def encoder(**changes) -> HistoryEncoder:
    settings = {
        "vocabulary": shop_vocabulary(ITEMS),
        "item_ids": ITEMS["item_id"].combine_chunks(),
        "max_events": 4,
    }
    return HistoryEncoder(**{**settings, **changes})


def reference_batch(rows: list[list[int]], max_events: int) -> list[list[int]]:
    """Item rows of right-padded histories, in loops."""
    newest = [walk[-max_events:] for walk in rows]
    longest = max(1, *map(len, newest))
    return [[row + 1 for row in walk] + [0] * (longest - len(walk)) for walk in newest]


@given(rows=st.lists(st.lists(st.integers(0, 5), max_size=7), min_size=1, max_size=5))
def test_batches_equal_their_reference(rows):
    sequences = encoder().encode(histories_of(rows))
    batch = sequences.batch(np.arange(len(rows)))
    assert batch.item_rows.tolist() == reference_batch(rows, 4)
    assert batch.lengths.tolist() == [min(len(walk), 4) for walk in rows]
    assert (batch.item_rows > 0).tolist() == batch.mask.tolist()
    assert batch.items[batch.mask].tolist() == [row + 1 for row in batch.item_rows[batch.mask]]


def test_a_batch_may_take_users_in_any_order_and_none_at_all():
    sequences = encoder().encode(histories_of([[0, 1], [2], [3, 4, 5]]))
    assert sequences.batch(np.array([2, 1])).item_rows.tolist() == [[4, 5, 6], [3, 0, 0]]
    assert sequences.batch(np.array([], dtype=np.int64)).item_rows.shape == (0, 1)


def test_an_item_outside_table_and_vocabulary_keeps_its_place():
    histories = histories_of([[0, 9, 1]])
    batch = encoder().encode(histories).batch(np.array([0]))
    assert batch.item_rows.tolist() == [[1, 0, 2]]
    assert batch.items.tolist() == [[2, 1, 3]]


def test_recency_is_the_gap_to_the_next_event_and_at_last_to_the_cut():
    histories = histories_of([[0, 1]])  # events at 22:00 and 23:00 of DAY
    hour, day = recency_bucket(np.array([3_600, 86_400 + 3_600]))
    bare = encoder().encode(histories).batch(np.array([0]))
    assert bare.recency.tolist() == [[hour, hour]]
    through = histories.append_column("day", pa.array([DAY + timedelta(days=1)])).append_column(
        "cut", pa.array(["through"])
    )
    assert encoder().encode(through).batch(np.array([0])).recency.tolist() == [[hour, day]]


@given(seconds=st.lists(st.integers(-10, 10**9), min_size=1))
def test_recency_buckets_are_ordered_and_in_range(seconds):
    buckets = recency_bucket(np.array(sorted(seconds)))
    assert (np.diff(buckets) >= 0).all()
    assert buckets.min() >= 1
    assert buckets.max() < RECENCY_BUCKETS


def test_only_events_landed_after_the_trained_days_are_fresh():
    histories = histories_of([[0] * 26])  # one event an hour: 24 on DAY, 2 the day before
    full = encoder(max_events=30)
    assert full.encode(histories).fresh.all()
    known = encoder(max_events=30, learned_through=DAY - timedelta(days=1)).encode(histories)
    assert known.fresh.tolist() == [False, False] + [True] * 24


def test_without_repeats_only_the_first_event_of_an_item_is_a_target():
    sequences = encoder(max_events=9).encode(histories_of([[0, 1, 0, 0], [0, 2, 1, 2]]))
    first = sequences.without_repeats()
    assert first.fresh.tolist() == [True, True, False, False, True, True, True, False]
    assert sequences.fresh.all()
    assert first.item_rows.tolist() == sequences.item_rows.tolist()


def test_queries_are_rows_of_their_table():
    histories = histories_of([[0, 1, 2]])
    typed_queries = pa.array([["lamp", "", "stranger"]])
    histories = histories.set_column(
        histories.column_names.index("queries"), "queries", typed_queries
    )
    table = pa.array(["desk", "lamp"])
    assert encoder(queries=table).encode(histories).queries.tolist() == [2, 0, 0]


def test_timestamps_of_another_unit_are_the_same_seconds():
    times = pa.array([[datetime(2026, 11, 19, 8, 1, 2, 999_000, tzinfo=UTC)]])
    histories = histories_of([[0]])
    place = histories.column_names.index("event_times")
    seconds = set()
    for unit in ("ms", "us", "ns"):
        typed = histories.set_column(place, "event_times", times.cast(pa.list_(pa.timestamp(unit))))
        seconds.add(int(encoder().encode(typed).times[0]))
    assert seconds == {int(datetime(2026, 11, 19, 8, 1, 2, tzinfo=UTC).timestamp())}


def test_an_empty_vocabulary_still_encodes():
    empty = encoder(vocabulary=Vocabulary())
    assert empty.encode(histories_of([[0, 1]])).items.tolist() == [1, 1]


def test_days_are_compared_as_days():
    late = encoder(learned_through=date(1970, 1, 1)).encode(histories_of([[0]]))
    assert late.fresh.tolist() == [True]


def test_histories_built_before_a_field_existed_have_no_values_of_it():
    histories = histories_of([[0, 1], [2]])
    without = histories.drop_columns(["regions"])
    at = histories.column_names.index("regions")
    partly = histories.set_column(at, "regions", pa.array([None, ["north"]]))
    assert encoder().encode(histories).fields["regions"].tolist() == [2, 2, 2]
    assert encoder().encode(without).fields["regions"].tolist() == [0, 0, 0]
    assert encoder().encode(partly).fields["regions"].tolist() == [0, 0, 2]


def test_a_field_outside_the_vocabulary_is_not_encoded():
    names = shop_vocabulary(ITEMS).event_fields
    earlier = Vocabulary(event_fields={"event_types": names["event_types"]})
    batch = encoder(vocabulary=earlier).encode(histories_of([[0, 1]])).batch(np.array([0]))
    assert set(batch.fields) == {"event_types"}
    context = EventEmbedding(4, {"event_types": 3})
    assert context(batch).shape == (1, 2, 4)
