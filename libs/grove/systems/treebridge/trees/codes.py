"""Conversions: rows of a dataset to vectors, trees to rows of `codes`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from grove.errors import DataError
from grove.features.vectors import vector_matrix
from grove.systems.treebridge.trees.files import codes_table
from grove.systems.treebridge.trees.tree import Tree


def vectors_of_items(rows: pa.Table, item_ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Put vectors in the order of the items.

    Args:
        rows: item_id and vector, at least one row per item.
        item_ids: N ids.

    Returns:
        [N, D] float32.

    Raises:
        DataError: an item has no vector, or vectors differ in width.
    """
    found = pc.index_in(item_ids, value_set=rows["item_id"].combine_chunks())
    if found.null_count:
        first = ", ".join(item_ids.filter(pc.is_null(found)).to_pylist()[:5])
        raise DataError(
            "items without a vector",
            where="item vectors of a tree",
            expected=f"a vector for each of {len(item_ids)} items",
            found=f"{found.null_count} items without one, the first are {first}",
            next_step="run the stage that writes them for this day again",
        )
    return vector_matrix(rows["vector"].take(found))


def codes_of_day(trees: Mapping[str, Tree], day: date) -> pa.Table:
    """Codes of a day.

    Args:
        trees: tree by name.
        day: day of the codes.

    Returns:
        item_id, path, slot, day, tree and generation; a row per item and tree.
    """
    return pa.concat_tables(_rows(name, tree, day) for name, tree in trees.items())


def _rows(name: str, tree: Tree, day: date) -> pa.Table:
    count = len(tree.item_ids)
    constants = {
        "day": pa.repeat(pa.scalar(day), count),
        "tree": pa.repeat(name, count),
        "generation": pa.repeat(tree.generation, count),
    }
    table = codes_table(tree)
    for column, values in constants.items():
        table = table.append_column(column, values)
    return table
