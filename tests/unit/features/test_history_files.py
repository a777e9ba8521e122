"""Reading histories: shares of workers, excluded users, distinct names."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.unit.training.synthetic import histories_of, shop_items, shop_vocabulary

from grove.features import history_files
from grove.features.history_files import distinct_values, read_sequences
from grove.features.sequences import HistoryEncoder

ITEMS = shop_items(6)


def encoder() -> HistoryEncoder:
    return HistoryEncoder(
        vocabulary=shop_vocabulary(ITEMS),
        item_ids=ITEMS["item_id"].combine_chunks(),
        max_events=4,
    )


@pytest.fixture
def files(tmp_path) -> list[str]:
    histories = histories_of([[user % 6] * (1 + user % 3) for user in range(23)])
    shuffled = histories.take(np.random.default_rng(0).permutation(23))
    paths = [str(tmp_path / f"{part}.parquet") for part in range(2)]
    pq.write_table(shuffled.slice(0, 11), paths[0], row_group_size=4)
    pq.write_table(shuffled.slice(11), paths[1], row_group_size=4)
    return paths


@pytest.mark.parametrize("rows_read_by_every_worker", [0, 1_000])
def test_workers_share_all_users_without_overlap(files, monkeypatch, rows_read_by_every_worker):
    monkeypatch.setattr(history_files, "ROWS_READ_BY_EVERY_WORKER", rows_read_by_every_worker)
    shares = [read_sequences(files, encoder(), share=number, shares=3) for number in range(3)]
    users = [user for share in shares for user in share.user_ids]
    assert sorted(users) == [f"user{number:04d}" for number in range(23)]
    assert all(list(share.user_ids) == sorted(share.user_ids) for share in shares)


def test_a_small_input_is_shared_for_any_file_layout(files, tmp_path):
    joined = str(tmp_path / "joined.parquet")
    pq.write_table(pa.concat_tables([pq.read_table(file) for file in reversed(files)]), joined)
    for share in range(2):
        many = read_sequences(files, encoder(), share=share, shares=2)
        one = read_sequences([joined], encoder(), share=share, shares=2)
        assert list(many.user_ids) == list(one.user_ids)
        assert many.item_rows.tolist() == one.item_rows.tolist()


def test_excluded_users_are_not_read(files):
    sequences = read_sequences(files, encoder(), excluded=lambda user: user < "user0020")
    assert list(sequences.user_ids) == ["user0020", "user0021", "user0022"]


def test_distinct_values_leave_nothing_out_and_skip_the_empty_name(files):
    assert distinct_values(files, "regions") == ("north",)
    assert distinct_values(files, "weathers") == ()
    assert len(distinct_values(files, "item_ids")) == 6


def test_no_files_are_no_users():
    assert len(read_sequences([], encoder())) == 0
