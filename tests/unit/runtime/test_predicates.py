"""Predicates of partitions: the same rows in Arrow and in SQL, an empty list among the values."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pytest
from tests.jobs.shop_day import land_histories, land_text_vectors

from grove.datasets import HISTORIES, TEXT_EMBEDDINGS, Layout
from grove.runtime.predicates import Partition, arrow_predicate, sql_predicate
from grove.runtime.tables import partition_files, read_arrow, replace_partition

DAY = date(2026, 8, 20)
ROWS = pa.table(
    {
        "day": pa.array([DAY, DAY, date(2026, 8, 21)], pa.date32()),
        "user_id": ["a", "b's", "c"],
        "number": pa.array([1, 2, 3], pa.int32()),
        "time": pa.array([1, 2, 3], pa.timestamp("us", tz="UTC")),
        "names": pa.array([["x"], [], None], pa.list_(pa.string())),
    }
)


@pytest.mark.parametrize(
    ("partition", "rows"),
    [
        ({}, 3),
        ({"day": DAY}, 2),
        ({"day": DAY, "user_id": ["a", "c"]}, 1),
        ({"user_id": "b's"}, 1),
        ({"number": [2, 3]}, 2),
        ({"user_id": []}, 0),
        ({"day": ()}, 0),
        ({"number": []}, 0),
        ({"time": []}, 0),
        ({"names": []}, 0),
        ({"day": DAY, "user_id": []}, 0),
        ({"day": [], "user_id": []}, 0),
    ],
)
def test_arrow_selects_rows_that_have_one_of_the_values(partition: Partition, rows: int) -> None:
    assert ds.dataset(ROWS).to_table(filter=arrow_predicate(partition)).num_rows == rows


@pytest.mark.parametrize(
    ("partition", "text"),
    [
        ({"day": []}, "FALSE"),
        ({"day": DAY, "cut": []}, "day = '2026-08-20' AND FALSE"),
        ({"cut": ["before"]}, "cut IN ('before')"),
        ({"user_id": "b's"}, "user_id = 'b''s'"),
    ],
)
def test_sql_of_a_partition(partition: Partition, text: str) -> None:
    assert sql_predicate(partition) == text


def test_an_empty_list_reads_and_replaces_no_row_of_a_table(layout: Layout) -> None:
    land_histories(layout, DAY, users=3)
    assert read_arrow(layout, HISTORIES, day=DAY, cut="before").num_rows == 3
    for column in ("user_id", "day", "cut"):
        assert read_arrow(layout, HISTORIES, **{column: []}).num_rows == 0
    assert partition_files(layout, HISTORIES, {"day": [], "cut": "before"}) == []
    land_text_vectors(layout, ["mug"])
    vectors = read_arrow(layout, TEXT_EMBEDDINGS)
    replace_partition(vectors.slice(0, 0), layout, TEXT_EMBEDDINGS, {"encoder": []})
    assert read_arrow(layout, TEXT_EMBEDDINGS).equals(vectors)


def test_a_list_of_no_user_is_a_filter_of_its_own_type() -> None:
    condition = arrow_predicate({"user_id": []})
    assert isinstance(condition, pc.Expression)
    assert ROWS.filter(condition).schema == ROWS.schema
