"""A small untrained generator over 24 items in two trees of nine leaves, and its histories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from grove.features.items import item_attributes
from grove.features.model_folder import save_model
from grove.features.model_metadata import ModelMetadata
from grove.features.vocabulary import Vocabulary
from grove.systems.treebridge.network import TreeBridge

ITEMS, TEXT_WIDTH, CAPACITY, MAX_EVENTS, WIDTH = 24, 8, 4, 10, 8
TREES = {"llm": [3, 3], "cf": [3, 3]}
STRINGS = pa.list_(pa.string())
WALKS = [[0, 3, 5], [7], [2, 2, 9, 11, 4], [1, 20]]
FIELDS = ("items", "attributes", "event_types", "regions", "devices", "weathers", "promotions")


def shop_items(count):
    vectors = np.random.default_rng(1).normal(size=(count, TEXT_WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(count)],
            "text_vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), TEXT_WIDTH),
            "category": ["Shop"] * count,
            "brand": [f"Brand {row % 3}" for row in range(count)],
            "tags": pa.array([[]] * count, STRINGS),
            "price_bucket": pa.array([row % 5 for row in range(count)], pa.int8()),
        }
    )


def codes(count, seed):
    """Items dealt out over nine leaves in a random order."""
    order = np.random.default_rng(seed).permutation(9 * CAPACITY)[:count]
    return pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(count)],
            "path": pa.array(
                [[place // (3 * CAPACITY), place // CAPACITY % 3] for place in order],
                pa.list_(pa.int32()),
            ),
            "slot": (order % CAPACITY).tolist(),
        }
    )


def codes_of_trees(count):
    return {"llm": codes(count, 1), "cf": codes(count, 2)}


def histories(rows):
    def every(value, kind=STRINGS):
        return pa.array([[value] * len(walk) for walk in rows], kind)

    return pa.table(
        {
            "user_id": [f"user{row}" for row in range(len(rows))],
            "item_ids": pa.array([[f"item{i:03d}" for i in walk] for walk in rows], STRINGS),
            "event_types": every("click"),
            "event_times": pa.array(
                [[1_700_000_000_000_000 + 10**9 * at for at in range(len(walk))] for walk in rows],
                pa.list_(pa.timestamp("us", tz="UTC")),
            ),
            "landed_days": every(19_000, pa.list_(pa.date32())),
            **{name: every("") for name in ("queries", "regions", "devices", "weathers")},
            "promotions": every(""),
        }
    )


def save_generator(path: Path, leaf_step="item_score", item_weight=0.0):
    """Write a model folder with weights that are far from those at the start of a training."""
    table = shop_items(ITEMS)
    names = [name for names in item_attributes(table) for name in names]
    vocabulary = Vocabulary.of_events(event_types=("click",)).grow(
        table["item_id"].to_pylist(), names
    )
    arguments = {
        "encoder": {"width": WIDTH, "layers": 1, "heads": 2, "dropout": 0.1},
        "trees": TREES,
        "capacity": CAPACITY,
        "text_width": TEXT_WIDTH,
        "rows": {name: vocabulary.rows(name) for name in FIELDS} | {"positions": MAX_EVENTS},
        "leaf_step": leaf_step,
    }
    torch.manual_seed(4)
    model = TreeBridge(**arguments)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.5)
    options = {"item_weight": item_weight, "generations": dict.fromkeys(TREES, "0123456789ab")}
    metadata = ModelMetadata(arguments=arguments, max_events=MAX_EVENTS, options=options)
    save_model(path, model, vocabulary, metadata)
    return path
