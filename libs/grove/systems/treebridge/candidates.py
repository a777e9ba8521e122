"""Candidate lists of many users: the function that a Spark worker runs.

Shapes: U users, N items, k items per user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.features.model_metadata import read_metadata
from grove.features.name_rows import rows_of
from grove.inference.products import NO_ITEM, product_numbers
from grove.systems.treebridge.fusion import Fusion
from grove.systems.treebridge.search import SearchFilters, TreeBridgeSearcher, load_searcher

USERS_AT_ONCE = 1_024
"""Users per search: bounds the memory for seen items as rows and for the lists."""
SEEN = "seen_item_ids"
"""Column of item ids that a user's list must not hold, added to `histories`; null for none."""


@dataclass(frozen=True, kw_only=True)
class CandidateSearch:
    """Inputs of a worker's search; every path is readable by every worker."""

    model: str
    """Folder of a trained TreeBridge."""
    item_table: str
    """Parquet file of N items."""
    codes: tuple[tuple[str, str], ...]
    """Tree and Parquet file of its item_id, path, slot."""
    beam: int
    """Paths kept per level and tree."""
    fusion: Fusion
    """Fusion of the trees' candidates into one list."""
    new_item_bonus: float
    """Log-score boost of cold-start items."""
    k: int
    """Items per user."""
    one_variant_per_product: bool = False
    """Whether a list holds only the best item of each product; the item table then has a column
    `product_id`."""


def candidate_batches(
    search: CandidateSearch,
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Build the function for Spark's `mapInArrow` that searches for users.

    Each worker process loads the generator and the trees once, on its first batch.

    Args:
        search: model, items, trees and how they are searched.

    Returns:
        Record batches of `histories`, with `SEEN`, → record batches of user_id, item_ids, scores
        and model_version.
    """

    def retrieve(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, USERS_AT_ONCE):
                yield _candidates(search, batch.slice(start, USERS_AT_ONCE))

    return retrieve


def rows_of_lists(lists: pa.Array, names: pa.Array) -> list[np.ndarray]:
    """Rows of the names in each list; unknown strings are left out.

    Args:
        lists: [U] lists of strings, or null.
        names: [N] distinct strings.

    Returns:
        U arrays of int64.

    Example:
        >>> lists = pa.array([["b", "x"], None, ["a", "b"]])
        >>> [rows.tolist() for rows in rows_of_lists(lists, pa.array(["a", "b"]))]
        [[1], [], [0, 1]]
    """
    # One look-up over all lists joined, then cut at the lists' ends: no Python per element.
    found = rows_of(lists.flatten(), names)  # [E]
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()  # [U]
    pieces = np.split(found, np.cumsum(lengths)[:-1])
    return [rows[rows >= 0] for rows in pieces]


def _candidates(search: CandidateSearch, batch: pa.RecordBatch) -> pa.RecordBatch:
    searcher = _searcher_of_worker(search)
    names = searcher.inputs.encoder.item_ids
    rows, scores = searcher.recommend(
        pa.Table.from_batches([batch]),
        k=search.k,
        filters=SearchFilters(
            excluded=rows_of_lists(batch.column(SEEN), names), products=_products_of_worker(search)
        ),
    )  # [U, k], [U, k]
    found = rows != NO_ITEM  # [U, k]
    # Arrow's list column is its values in one run and the offsets where each list ends; both come
    # from the mask, so that no list is built in Python.
    ends = pa.array(np.concatenate([[0], found.sum(axis=1).cumsum()]), pa.int32())
    version = read_metadata(Path(search.model)).model_version
    return pa.RecordBatch.from_pydict(
        {
            "user_id": batch.column("user_id"),
            "item_ids": pa.ListArray.from_arrays(ends, names.take(pa.array(rows[found]))),
            "scores": pa.ListArray.from_arrays(ends, pa.array(scores[found], pa.float32())),
            "model_version": pa.array([version] * batch.num_rows, pa.string()),
        }
    )


@lru_cache(maxsize=1)
def _searcher_of_worker(search: CandidateSearch) -> TreeBridgeSearcher:
    """The one searcher of this worker process; Spark reuses workers across partitions."""
    return load_searcher(
        search.model,
        pq.read_table(search.item_table),
        {tree: pq.read_table(file) for tree, file in search.codes},
        beam=search.beam,
        fusion=search.fusion,
        new_item_bonus=search.new_item_bonus,
    )


@lru_cache(maxsize=1)
def _products_of_worker(search: CandidateSearch) -> np.ndarray | None:
    """Product of each item, [N], where lists hold one variant of each."""
    if not search.one_variant_per_product:
        return None
    return product_numbers(pq.read_table(search.item_table, columns=["product_id"])["product_id"])
