"""A shop of 12,000 items whose shoppers stay within a few topics, and the models trained in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tests.unit.training.synthetic import histories_of, write_shop

from grove.settings.models import StarsSettings, TrainingSettings, TreeBridgeSettings
from grove.systems.dssm.train import train_dssm_worker
from grove.systems.stars.train import train_stars_worker
from grove.systems.treebridge.train import codes_file, train_treebridge_worker
from grove.systems.treebridge.trees import TreeShape, codes_table
from grove.systems.treebridge.trees.build import build_tree
from grove.systems.treebridge.trees.shape import fit_level_sizes
from grove.training.job_spec import TrainingSpec

ITEMS, TOPICS, TEXT_WIDTH, EVENTS = 12_000, 200, 384, 50
TOPICS_OF_A_USER, ANY_ITEM_SHARE = 3, 0.1
SHAPE = TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25)
WORKERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "DSSM": train_dssm_worker,
    "TreeBridge": train_treebridge_worker,
    "STARS": train_stars_worker,
}


def topic_shop(users: int) -> tuple[pa.Table, list[list[int]]]:
    """Item table, and item rows of users; Zipf within a topic, with some items from anywhere."""
    generator = np.random.default_rng(1)
    size = ITEMS // TOPICS
    topics = np.repeat(generator.normal(size=(TOPICS, TEXT_WIDTH)), size, axis=0)
    vectors = topics + generator.normal(size=topics.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    table = pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(ITEMS)],
            "text_vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), TEXT_WIDTH),
            "category": [f"Shop > Aisle {row // size}" for row in range(ITEMS)],
            "brand": [f"Brand {row % 97}" for row in range(ITEMS)],
            "tags": pa.array([[]] * ITEMS, pa.list_(pa.string())),
            "price_bucket": pa.array([row % 10 for row in range(ITEMS)], pa.int8()),
        }
    )
    shares = 1 / np.arange(1, size + 1)
    own = generator.integers(TOPICS, size=(users, TOPICS_OF_A_USER))
    chosen = np.take_along_axis(
        own, generator.integers(TOPICS_OF_A_USER, size=(users, EVENTS)), axis=1
    )
    ranks = generator.choice(size, size=(users, EVENTS), p=shares / shares.sum())
    anything = generator.integers(ITEMS, size=(users, EVENTS))
    rows = np.where(
        generator.random((users, EVENTS)) < ANY_ITEM_SHARE, anything, chosen * size + ranks
    )
    return table, rows.tolist()


def write_topic_shop(folder: Path, users: int) -> tuple[TrainingSpec, pa.Table, pa.Table]:
    """Inputs of a training with two trees of texts, built with different seeds; and its tables."""
    table, rows = topic_shop(users)
    histories = histories_of(rows)
    spec = write_shop(folder, histories, table, max_events=EVENTS)
    vectors = table["text_vector"].combine_chunks().flatten().to_numpy().reshape(ITEMS, TEXT_WIDTH)
    for seed, name in enumerate(("llm", "cf")):
        tree = build_tree(
            vectors, table["item_id"].to_pylist(), shape=SHAPE, iterations=10, seed=seed
        )
        pq.write_table(codes_table(tree), folder / codes_file(name))
    return spec, table, histories


def options_of(model: str, epochs: int) -> dict[str, Any]:
    """The default options of a model, except the epochs."""
    sizes = list(fit_level_sizes(SHAPE, ITEMS))
    trees = {"trees": {"llm": sizes, "cf": sizes}, "capacity": SHAPE.leaf_capacity}
    options = {
        "DSSM": TrainingSettings().model_dump(),
        "TreeBridge": TreeBridgeSettings().model_dump() | trees | {"generations": {}},
        "STARS": StarsSettings().model_dump(),
    }
    return options[model] | {"epochs": epochs}


def train_model(model: str, spec: TrainingSpec, epochs: int) -> float:
    """Train as a worker does; seconds."""
    work = spec.as_json() | {"options": options_of(model, epochs)}
    started = perf_counter()
    WORKERS[model](work)
    return perf_counter() - started
