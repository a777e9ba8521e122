"""Ranked lists of a day's users, by one set of models and by a simulator's oracle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grove.datasets import SYSTEMS, TREES, Layout
from grove.features.items import text_matrix
from grove.features.model_metadata import read_metadata
from grove.inference.interleave import fuse_served, round_robin
from grove.inference.products import NO_ITEM
from grove.inference.top_k import top_k
from grove.settings.models import TreeBridgeSettings
from grove.stages.encoded import Encoded
from grove.stages.evaluation_set import EvaluationSet
from grove.stages.generator import open_searcher, read_codes, require_same_trees
from grove.stages.handoffs import read_trees, read_weights
from grove.stages.vector_models import VECTOR_MODELS
from grove.systems.dssm.encode import encode_items
from grove.systems.treebridge.search import SearchFilters
from grove.systems.treebridge.trees import codes_table, load_tree
from grove.systems.treebridge.trees.refresh import extend


@dataclass(frozen=True, kw_only=True)
class ModelSet:
    """The models that serve together, and the codes of the trees of their generator."""

    folders: Mapping[str, Path]
    """Model folder by system."""
    codes: Mapping[str, pa.Table]
    """item_id, path, slot by tree."""

    @property
    def versions(self) -> dict[str, str]:
        """Fingerprint of the weights by system."""
        return {name: read_metadata(folder).model_version for name, folder in self.folders.items()}

    @property
    def generations(self) -> dict[str, str]:
        """Trees the generator was trained on."""
        return read_metadata(self.folders["treebridge"]).generations

    def equals(self, other: ModelSet) -> bool:
        """Whether both would give the same lists: equal weights over equal trees."""
        return (self.versions, self.generations) == (other.versions, other.generations)


def candidate_models(layout: Layout, day: date) -> ModelSet:
    """Models of the day's candidate pass with the day's codes.

    Raises:
        DataError: the generator was trained on other trees than the day's.
    """
    folders = {system.name: read_weights(layout, day, system.name).folder for system in SYSTEMS}
    require_same_trees(folders["treebridge"], read_trees(layout, day))
    return ModelSet(folders=folders, codes=read_codes(layout, day))


def release_models(release: Path, item_table: pa.Table) -> ModelSet:
    """Models of a release with its own trees, joined by the day's new items.

    Both sides are evaluated over the same items. New items take free slots in the release's trees
    by the release's own vectors; where slots do not suffice its generator cannot reach them.

    Args:
        release: folder of the release.
        item_table: items of the day.
    """
    ids = item_table["item_id"].to_pylist()
    vectors = {
        "llm": text_matrix(item_table),
        "cf": encode_items(release / "trees" / "cf" / "dssm", item_table),
    }
    trees = {name: load_tree(release / "trees" / name) for name in TREES}
    models = {system.name: release / "models" / system.name for system in SYSTEMS}
    return ModelSet(
        # A release from before a system was added does not hold its model.
        folders={name: folder for name, folder in models.items() if folder.is_dir()},
        codes={
            name: codes_table(extend(tree, vectors[name], ids).tree) for name, tree in trees.items()
        },
    )


def ranked_lists(
    models: ModelSet, evaluation_set: EvaluationSet, *, length: int, search: TreeBridgeSettings
) -> dict[str, np.ndarray]:
    """Lists of every model alone, and `fused`, which is what a server gives.

    A user without a history gets the most popular items in each, as from a server. Where lists
    hold one variant of each product, all of them do.

    Args:
        models: to rank by.
        evaluation_set: users, items, and exclusions.
        length: K, items per list.
        search: beam, fusion of the trees, and bonus of cold-start items.

    Returns:
        [U, K] int64 item rows by name of the list.
    """
    items, histories = evaluation_set.item_table, evaluation_set.histories
    filters = SearchFilters(
        excluded=evaluation_set.known_excluded, products=evaluation_set.products
    )
    by_vectors: dict[str, np.ndarray] = {}
    for name, model in VECTOR_MODELS.items():
        if name in models.folders:
            encoded = model.load(models.folders[name], items)
            by_vectors |= _vector_lists(name, encoded, histories, filters, length=length)
    searcher = open_searcher(models.folders["treebridge"], items, models.codes, search)
    found = searcher.search(histories, k=length, filters=filters)
    h_next, h_gen = by_vectors["stars_h_next"], by_vectors["stars_h_gen"]
    lists = {
        "fused": fuse_served(
            h_next=h_next,
            h_gen=h_gen,
            tree=found.fused[0],
            k=length,
            products=evaluation_set.products,
        ),
        "treebridge": found.fused[0],
        **{f"treebridge_{tree}": lists for tree, (lists, _) in found.by_tree.items()},
        **by_vectors,
    }
    return {name: evaluation_set.for_all_users(ranked) for name, ranked in lists.items()}


def _vector_lists(
    name: str,
    encoded: Encoded,
    histories: pa.Table,
    filters: SearchFilters,
    *,
    length: int,
) -> dict[str, np.ndarray]:
    """Lists of one model, [H, K]: interleaved under its name, and of each of several vectors."""
    excluded, products = filters.excluded, filters.products
    lists = {
        vector: top_k(users, encoded.item_vectors, k=length, excluded=excluded, products=products)
        for vector, users in encoded.users(histories).items()
    }
    each = {f"{name}_{vector}": found for vector, found in lists.items()} if len(lists) > 1 else {}
    return {name: round_robin(list(lists.values()), length, products=products), **each}


def oracle_lists(file: Path, evaluation_set: EvaluationSet, *, length: int) -> np.ndarray:
    """Lists of a simulator's true ranking.

    Args:
        file: Parquet file of the day's truth: user_id, item_ids.
        evaluation_set: users and items.
        length: K.

    Returns:
        [U, K] int64; all −1 for a user the truth does not rank for.
    """
    truth = pq.read_table(file, columns=["user_id", "item_ids"]).to_pydict()
    ranked = dict(zip(truth["user_id"], truth["item_ids"], strict=True))
    rows = {item: row for row, item in enumerate(evaluation_set.item_table["item_id"].to_pylist())}
    lists = np.full((len(evaluation_set.users), length), NO_ITEM, dtype=np.int64)  # [U, K]
    for place, user in enumerate(evaluation_set.users):
        found = [rows[item] for item in ranked.get(user, ()) if item in rows][:length]
        lists[place, : len(found)] = found
    return lists
