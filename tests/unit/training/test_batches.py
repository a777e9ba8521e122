"""Batches of an epoch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.training.synthetic import DAY, histories_of, shop_items, shop_vocabulary

from grove.features.sequences import HistoryEncoder
from grove.training.batches import user_batches

ITEMS = shop_items(10)


def sequences_of(rows: list[list[int]], **settings):
    encoder = HistoryEncoder(
        vocabulary=shop_vocabulary(ITEMS), item_ids=ITEMS["item_id"].combine_chunks(), **settings
    )
    return encoder.encode(histories_of(rows))


@given(users=st.integers(1, 40), size=st.integers(1, 9))
def test_an_epoch_has_every_user_once_in_batches_of_limited_size(users, size):
    batches = user_batches(
        sequences_of([[user % 10, 1] for user in range(users)]), size=size, seed=0
    )
    seen = [list(batch.item_rows[:, 0]) for batch in batches.epoch(0)]
    assert len(seen) == batches.steps == -(-users // size)
    assert max(map(len, seen)) <= size
    assert sum(map(len, seen)) == users


def test_epochs_differ_and_repeat():
    batches = user_batches(sequences_of([[user % 10, 1] for user in range(20)]), size=4, seed=0)

    def order(epoch: int) -> list[int]:
        return [int(row) for batch in batches.epoch(epoch) for row in batch.item_rows[:, 0]]

    assert order(0) == order(0)
    assert order(0) != order(1)


def test_users_without_targets_are_left_out():
    rows = [[0], [1, 2], [3, 4, 5]]
    assert user_batches(sequences_of(rows), size=4, seed=0).users.tolist() == [1, 2]
    old = user_batches(sequences_of(rows, learned_through=DAY), size=4, seed=0)
    assert old.users.tolist() == []
    assert [len(batch.lengths) for batch in old.epoch(0)] == [0]


def test_offsets_of_targets_do_not_leak_between_users():
    sequences = sequences_of([[0], [1], [2, 3]])
    assert user_batches(sequences, size=4, seed=0).users.tolist() == [2]
    assert np.array_equal(sequences.lengths, [1, 1, 2])
