"""The synthetic shop with a code tree of each kind over its items, to train TreeBridge on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.unit.training import synthetic

from grove.systems.treebridge.train import codes_file
from grove.training.job_spec import TrainingSpec

ITEMS, CAPACITY = 40, 4
TREES = {"llm": [5, 2], "cf": [5, 2]}
OPTIONS: dict[str, Any] = {
    "width": 16,
    "layers": 1,
    "heads": 2,
    "dropout": 0.0,
    "epochs": 20,
    "batch_size": 16,
    "learning_rate": 1e-2,
    "trees": TREES,
    "llm_weight": 1.0,
    "cf_weight": 1.0,
    "item_weight": 0.0,
    "generations": {"llm": "one", "cf": "one"},
    "capacity": CAPACITY,
    "leaf_step": "item_score",
}


def codes_of(order: range | np.ndarray) -> pa.Table:
    """A tree of 5 x 2 leaves with four items each, over items in a given order."""
    return pa.table(
        {
            "item_id": [f"item{row:03d}" for row in order],
            "path": pa.array(
                [[place // 8, place // 4 % 2] for place in range(len(order))], pa.list_(pa.int32())
            ),
            "slot": [place % CAPACITY for place in range(len(order))],
        }
    )


CODES = {"llm": codes_of(range(ITEMS)), "cf": codes_of(np.random.default_rng(1).permutation(ITEMS))}


def shop(
    folder: Path, walks: list[list[int]] | None = None, **changes: Any
) -> tuple[TrainingSpec, pa.Table, pa.Table]:
    """Write the inputs of a training: its spec, the items and the histories."""
    items = synthetic.shop_items(ITEMS)
    rows = walks if walks is not None else synthetic.walks(64, 12, ITEMS)
    changes["options"] = {**OPTIONS, **changes.pop("options", {})}
    spec = synthetic.write_shop(folder, synthetic.histories_of(rows), items, **changes)
    for name, codes in CODES.items():
        pq.write_table(codes, folder / codes_file(name))
    return spec, items, synthetic.histories_of(rows)
