"""A small shop whose next item is easy to predict from the last one, not from popularity."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grove.features.items import build_item_table, item_attributes
from grove.features.vocabulary import Vocabulary, save_vocabulary
from grove.training.job_spec import ITEM_TABLE_FILE, TrainingSpec

DAY = date(2026, 11, 19)
STRINGS = pa.list_(pa.string())
OPTIONS: dict[str, Any] = {
    "width": 16,
    "layers": 2,
    "heads": 2,
    "dropout": 0.0,
    "epochs": 4,
    "batch_size": 16,
    "learning_rate": 5e-3,
    "frozen_offset_share": 0.25,
    "generation_weight": 0.5,
    "popularity_gamma": 0.0,
}


def shop_items(count: int = 40, text_width: int = 12, seed: int = 3) -> pa.Table:
    """Items of five categories with nearly random text vectors."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, text_width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    hashes = [f"hash{row}" for row in range(count)]
    items = pa.table(
        {
            "item_id": [f"item{row:03d}" for row in range(count)],
            "category_path": [["Shop", f"Aisle {row % 5}"] for row in range(count)],
            "brand": [None if row % 4 == 0 else f"Brand {row % 3}" for row in range(count)],
            "tags": [[f"tag{row % 2}"] for row in range(count)],
            "price": [float(row) for row in range(count)],
            "text_hash": hashes,
        }
    )
    texts = pa.table({"text_hash": hashes, "vector": list(vectors.astype(np.float32))})
    return build_item_table(items, texts)


def walks(users: int, events: int, items: int, seed: int = 5) -> list[list[int]]:
    """Item rows of each user: mostly the successor of the last one, on a ring."""
    random = np.random.default_rng(seed)
    rows = []
    for _ in range(users):
        walk = [int(random.integers(items))]
        while len(walk) < events:
            jump = random.random() < 0.05
            walk.append(int(random.integers(items)) if jump else (walk[-1] + 1) % items)
        rows.append(walk)
    return rows


def histories_of(rows: list[list[int]], last_day: date = DAY, hours_between: int = 1) -> pa.Table:
    """Histories with an event every so many hours, the last at 23:00 of `last_day`."""
    end = datetime(last_day.year, last_day.month, last_day.day, 23, tzinfo=UTC)
    times = [
        [end - timedelta(hours=hours_between * (len(walk) - 1 - at)) for at in range(len(walk))]
        for walk in rows
    ]
    return pa.table(
        {
            "user_id": [f"user{number:04d}" for number in range(len(rows))],
            "item_ids": pa.array([[f"item{row:03d}" for row in walk] for walk in rows], STRINGS),
            "event_types": pa.array([["click"] * len(walk) for walk in rows], STRINGS),
            "event_times": pa.array(times, pa.list_(pa.timestamp("us", tz="UTC"))),
            "landed_days": pa.array(
                [[time.date() for time in user] for user in times], pa.list_(pa.date32())
            ),
            "queries": pa.array([[""] * len(walk) for walk in rows], STRINGS),
            "regions": pa.array([["north"] * len(walk) for walk in rows], STRINGS),
            "devices": pa.array([["phone"] * len(walk) for walk in rows], STRINGS),
            "weathers": pa.array([[""] * len(walk) for walk in rows], STRINGS),
            "promotions": pa.array([[""] * len(walk) for walk in rows], STRINGS),
        }
    )


def shop_vocabulary(items: pa.Table) -> Vocabulary:
    """Every name of the shop."""
    names = [name for names in item_attributes(items) for name in names]
    return Vocabulary.of_events(
        event_types=("click",), regions=("north",), devices=("phone",)
    ).grow(items["item_id"].to_pylist(), names)


def write_shop(folder: Path, histories: pa.Table, items: pa.Table, **changes: Any) -> TrainingSpec:
    """Write the inputs of a training and describe it; `changes` replace fields of the spec."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(items, folder / ITEM_TABLE_FILE)
    pq.write_table(histories, folder / "histories.parquet")
    save_vocabulary(folder, changes.pop("vocabulary", None) or shop_vocabulary(items))
    described = {
        "files": [str(folder / "histories.parquet")],
        "inputs": str(folder),
        "output": str(folder / "model"),
        "through": f"{DAY:%Y-%m-%d}",
        "max_events": 20,
        "options": OPTIONS,
    }
    return TrainingSpec(**{**described, **changes})
