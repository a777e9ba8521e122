"""Codes of the small shop's items, as train_treebridge and evaluate_models read them."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa
from tests.jobs.shop_day import ITEM_COUNT, report

from grove.contracts import arrow_schema, load_contract
from grove.datasets import CODES, TREES, Layout
from grove.runtime.tables import replace_partition

LEVELS = [3, 3]
CAPACITY = 6
GENERATIONS = {"llm": "aaaaaaaaaaaa", "cf": "bbbbbbbbbbbb"}


def codes_of(tree: str, count: int = ITEM_COUNT) -> pa.Table:
    """Item ids, paths and slots of a tree of nine leaves; more items leave the others in place."""
    order = np.random.default_rng(len(tree)).permutation(9 * CAPACITY)[:count]
    paths = [[place // (3 * CAPACITY), place // CAPACITY % 3] for place in order.tolist()]
    return pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(count)],
            "path": pa.array(paths, pa.list_(pa.int32())),
            "slot": pa.array((order % CAPACITY).tolist(), pa.int32()),
        }
    )


def land_codes(
    layout: Layout, day: date, count: int = ITEM_COUNT, generations: dict[str, str] = GENERATIONS
) -> None:
    """Both trees' codes of a day, and the report of build_trees."""
    rows = [
        {"day": day, "tree": tree, "generation": generations[tree], **row}
        for tree in TREES
        for row in codes_of(tree, count).to_pylist()
    ]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(CODES)))
    replace_partition(table, layout, CODES, {"day": day, "tree": list(TREES)})
    notes = {
        tree: {"generation": generations[tree], "levels": LEVELS, "capacity": CAPACITY}
        for tree in TREES
    }
    report(layout, day, "build_trees", notes=notes, artifact=layout.attempts(day, "build_trees"))
