"""Ranked lists of a day's users: by one set of models, and by what they are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grove.datasets import TREES
from grove.features.items import text_matrix
from grove.features.model_metadata import read_metadata
from grove.inference.interleave import fuse_served, round_robin
from grove.inference.top_k import NO_ITEM, top_k
from grove.runtime.stage_run import StageRun
from grove.settings.models import TreeBridgeSettings
from grove.stages.evaluation_set import EvaluationSet
from grove.stages.train_treebridge import day_codes, open_searcher, require_day_trees
from grove.systems.dssm.encode import encode_items, load_dssm
from grove.systems.stars.encode import load_stars
from grove.systems.treebridge.search import SearchFilters
from grove.systems.treebridge.trees import codes_table, load_tree
from grove.systems.treebridge.trees.refresh import extend

MODELS = ("dssm", "treebridge", "stars")


@dataclass(frozen=True, kw_only=True)
class ModelSet:
    """The models that serve together, and the trees their generator speaks."""

    folders: Mapping[str, Path]
    """Model folder by name."""
    codes: Mapping[str, pa.Table]
    """item_id, path, slot by tree."""

    @property
    def versions(self) -> dict[str, str]:
        """Fingerprint of the weights by model."""
        return {name: read_metadata(folder).model_version for name, folder in self.folders.items()}

    @property
    def generations(self) -> dict[str, str]:
        """Trees the generator was trained on."""
        return read_metadata(self.folders["treebridge"]).generations

    def equals(self, other: ModelSet) -> bool:
        """Whether both would give the same lists: equal weights over equal trees."""
        mine, theirs = (self.versions, self.generations), (other.versions, other.generations)
        return mine == theirs


def candidate_models(stage: StageRun) -> ModelSet:
    """Models of the day's candidate pass with the day's codes.

    Raises:
        DataError: the generator was trained on other trees than the day's.
    """
    reports = {name: stage.earlier_report(f"train_{name}") for name in MODELS}
    folders = {name: Path(report["artifact"]) for name, report in reports.items()}
    require_day_trees(stage, folders["treebridge"])
    return ModelSet(folders=folders, codes=day_codes(stage))


def release_models(release: Path, item_table: pa.Table) -> ModelSet:
    """Models of a release with its own trees, which the day's new items have joined.

    Both sides are judged over the same items. New items take free places in the release's trees
    by the release's own vectors; where places do not suffice its generator cannot reach them.

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
    return ModelSet(
        folders={name: release / "models" / name for name in MODELS},
        codes={
            name: codes_table(extend(tree, vectors[name], ids).tree) for name, tree in trees.items()
        },
    )


def ranked_lists(
    models: ModelSet, judged: EvaluationSet, *, length: int, search: TreeBridgeSettings
) -> dict[str, np.ndarray]:
    """Lists of every model alone, and `fused`, which is what a server gives.

    A user without a history gets the most popular items in each, as from a server.

    Args:
        models: to rank by.
        judged: users, items, and what lists must not hold.
        length: K, places per list.
        search: beam, fusion of the trees, and what new items are favoured by.

    Returns:
        [U, K] int64 item rows by name of the list.
    """
    items, histories, excluded = judged.item_table, judged.histories, judged.known_excluded
    stars = load_stars(models.folders["stars"], items)
    item_vectors = stars.item_vectors[1:].numpy()
    users = stars.users(histories)
    h_next = top_k(users.h_next, item_vectors, k=length, excluded=excluded)
    h_gen = top_k(users.h_gen, item_vectors, k=length, excluded=excluded)
    dssm = load_dssm(models.folders["dssm"], items)
    searcher = open_searcher(models.folders["treebridge"], items, models.codes, search)
    found = searcher.search(histories, k=length, filters=SearchFilters(excluded=excluded))
    lists = {
        "fused": fuse_served(h_next=h_next, h_gen=h_gen, tree=found.fused[0], k=length),
        "treebridge": found.fused[0],
        **{f"treebridge_{tree}": lists for tree, (lists, _) in found.by_tree.items()},
        "stars": round_robin([h_next, h_gen], length),
        "stars_h_next": h_next,
        "stars_h_gen": h_gen,
        "dssm": top_k(
            dssm.users(histories), dssm.item_vectors[1:].numpy(), k=length, excluded=excluded
        ),
    }
    return {name: judged.for_everybody(ranked) for name, ranked in lists.items()}


def oracle_lists(file: Path, judged: EvaluationSet, *, length: int) -> np.ndarray:
    """Lists of a simulator's true ranking.

    Args:
        file: Parquet file of the day's truth: user_id, item_ids.
        judged: users and items.
        length: K.

    Returns:
        [U, K] int64; all −1 for a user the truth does not rank for.
    """
    truth = pq.read_table(file, columns=["user_id", "item_ids"]).to_pydict()
    ranked = dict(zip(truth["user_id"], truth["item_ids"], strict=True))
    rows = {item: row for row, item in enumerate(judged.item_table["item_id"].to_pylist())}
    lists = np.full((len(judged.users), length), NO_ITEM, dtype=np.int64)  # [U, K]
    for place, user in enumerate(judged.users):
        found = [rows[item] for item in ranked.get(user, ()) if item in rows][:length]
        lists[place, : len(found)] = found
    return lists
