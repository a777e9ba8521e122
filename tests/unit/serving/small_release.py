"""A small sealed release with untrained models, as a reader finds it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tests.jobs.tree_day import CAPACITY, LEVELS, codes_of
from tests.unit.training.synthetic import histories_of, shop_items, shop_vocabulary, walks

from grove import release
from grove.features.model_folder import save_model
from grove.features.model_metadata import ModelMetadata
from grove.index import build_index, item_keys, save_index
from grove.release.collect import METRICS_FILE
from grove.runtime.files import write_json
from grove.systems.treebridge.network import TreeBridge

DAY = date(2026, 8, 20)
ITEMS, USERS, WIDTH = 30, 8, 8
FIELDS = ("items", "attributes", "event_types", "regions", "devices", "weathers", "promotions")


def write_small_release(
    releases: Path,
    *,
    keep_seen_items: bool = False,
    positives: pa.Table | None = None,
    ef_search: int = 64,
) -> str:
    """Write and serve a release of 30 items and 8 users; returns its id.

    With the `positives` of all days, it also holds seen items and popularity.
    """
    release_id = release.next_release_id(releases, DAY)
    folder = release.start_release(releases, release_id)
    item_table = shop_items(ITEMS)
    _write_tables(folder, item_table)
    for name, table in release.past_tables(positives).items() if positives else ():
        pq.write_table(table, folder / name)
    write_generator(folder / "models" / "treebridge", item_table)
    origin = release.Origin(
        run_id="test",
        code_version="test",
        table_versions={},
        settings={
            "treebridge": {"beam": 4},
            "index": {"ef_search": ef_search},
            "source": {"keep_seen_items": keep_seen_items},
            "texts": {},
        },
        plan={"shape": {"encoder": "0123456789ab"}},
        trees={},
        weights={},
    )
    manifest = release.describe_release(folder, release_id, origin=origin, metrics={})
    release.write_release(folder, manifest)
    release.publish_folder(folder)
    release.move_pointer(releases / "current.json", release_id)
    return release_id


def _write_tables(folder: Path, item_table: pa.Table) -> None:
    ids = item_table["item_id"].to_pylist()
    shown = pa.table(
        {
            "item_id": ids,
            "title": [f"Thing {row}" for row in range(ITEMS)],
            "category_path": [["Shop"]] * ITEMS,
            "price": [1.5 * row for row in range(ITEMS)],
            "stock": pa.array([None if row % 7 == 0 else row % 5 for row in range(ITEMS)]),
            "regions": pa.array(
                [["south"] if row % 3 == 0 else ["north", "south"] for row in range(ITEMS)]
            ),
        }
    )
    keys = item_keys(ids)
    pq.write_table(release.item_rows(shown, item_table, keys), folder / "items.parquet")
    histories = histories_of(walks(USERS, 6, ITEMS), DAY)
    pq.write_table(histories, folder / "histories.parquet")
    for tree in ("llm", "cf"):
        pq.write_table(codes_of(tree, ITEMS), folder / f"codes_{tree}.parquet")
    random = np.random.default_rng(3)
    users = random.normal(size=(2, USERS, WIDTH)).astype(np.float32)
    embeddings = {
        "user_id": histories["user_id"],
        "h_gen": list(users[0]),
        "h_next": list(users[1]),
    }
    pq.write_table(pa.table(embeddings), folder / "user_embeddings.parquet")
    vectors = random.normal(size=(ITEMS, WIDTH)).astype(np.float32)
    index = build_index(keys, vectors, factory="IDMap2,HNSW16", ef_construction=40)
    save_index(folder / "index", index, ids, keys, {})
    write_json(folder / METRICS_FILE, {})


def write_generator(folder: Path, item_table: pa.Table, **metadata: object) -> None:
    """Write an untrained generator over the trees of `tests.jobs.tree_day`, with random weights."""
    vocabulary = shop_vocabulary(item_table)
    arguments = {
        "encoder": {"width": WIDTH, "layers": 1, "heads": 2, "dropout": 0.0},
        "trees": {"llm": LEVELS, "cf": LEVELS},
        "capacity": CAPACITY,
        "text_width": len(item_table["text_vector"][0]),
        "rows": {name: vocabulary.rows(name) for name in FIELDS} | {"positions": 10},
        "leaf_step": "item_score",
    }
    torch.manual_seed(5)
    model = TreeBridge(**arguments)
    for parameter in model.parameters():
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.5)
    described = ModelMetadata(arguments=arguments, max_events=10, **metadata)
    trained = pa.array(item_table["item_id"].to_pylist()[::2])
    save_model(folder, model, vocabulary, described, trained_items=trained)
