"""Contestants of Q1 and Q2: what each is, trained if it has to be, and its lists for every user.

Every one takes a bench and gives a `Ranked`, by the code that serves a day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tests.benchmarks.bench import Bench, trained, training_seconds
from tests.benchmarks.splits import Split, rows_of_users

from grove.baselines.ease import ease_weights, history_matrix
from grove.baselines.retriever.encode import load_retriever
from grove.baselines.retriever.train import train_retriever_worker
from grove.datasets import TREES
from grove.evaluation.popularity import popularity_order, same_list_for_all
from grove.features.items import text_matrix
from grove.inference.top_k import top_k
from grove.systems.dssm.encode import encode_items, load_dssm
from grove.systems.dssm.train import train_dssm_worker
from grove.systems.treebridge.search import (
    Recommendations,
    SearchFilters,
    TreeBridgeSearcher,
    load_searcher,
)
from grove.systems.treebridge.train import train_treebridge_worker
from grove.systems.treebridge.trees import Tree, TreeShape, codes_table
from grove.systems.treebridge.trees.refresh import Recipe, refresh_trees

LENGTH = 100
"""Places per list."""
BEAM = 100
FUSION = "sum"
SHAPE = TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25)
TREE_ITERATIONS = 15
TREE_SEED = 17
RECENT_DAYS = 7
_NO_DAY = date(1970, 1, 1)
"""Trees of a benchmark are not known by a day."""
Lists = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """What a contestant gives."""

    lists: Lists
    """[U, LENGTH] int64 item rows, best first, by name of the list."""
    seconds: float | None = None
    """Of its training; none where nothing was trained, or not in one go."""


def treebridge(bench: Bench) -> Ranked:
    """Both trees, one training: fused, and what each tree of it gives alone."""
    model, found = _search(bench, TREES)
    parts = {f"TreeBridge, {tree} tree of it": lists for tree, (lists, _) in found.by_tree.items()}
    return Ranked(lists={"TreeBridge": found.fused[0], **parts}, seconds=training_seconds(model))


def single_tree(bench: Bench, tree: str) -> Ranked:
    """The same generator trained on one tree; on the cf tree it is of RecForest's type."""
    model, found = _search(bench, (tree,))
    return Ranked(lists={f"{tree} tree only": found.fused[0]}, seconds=training_seconds(model))


def recforest_cf(bench: Bench) -> Ranked:
    """The paper's CF Tree-only: the tree of an id-only DSSM, and a generator that reads ids.

    Nothing in it comes from a text: no item vector, no attribute, and no place in the tree.

    Source: TreeBridge, RQ1, "Recforest CF Tree-only".
    """
    return _recforest(bench, "cf", "RecForest cf tree only")


def recforest_llm(bench: Bench) -> Ranked:
    """The paper's LLM Tree-only: the tree of the texts, and a generator that reads ids.

    Semantics come from the tree alone.

    Source: TreeBridge, RQ1, "Recforest LLM Tree-only".
    """
    return _recforest(bench, "llm", "RecForest llm tree only")


def retriever(bench: Bench, adapter: str, name: str) -> Ranked:
    """A user encoder and a dot product with adapted text vectors; see `grove.baselines`.

    Args:
        bench: where it takes part.
        adapter: what stands between text vector and dot product.
        name: of its list.
    """
    model, users, items = encode_by_retriever(bench, adapter)
    return Ranked(lists={name: nearest(bench.split, users, items)}, seconds=training_seconds(model))


def dssm(bench: Bench) -> Ranked:
    """Two towers; the cf tree stands on the same, with the numbers it has in every trial."""
    model = _train_dssm(bench)
    encoder = load_dssm(model, bench.split.items)
    lists = nearest(bench.split, encoder.users(bench.split.asked), encoder.item_vectors.numpy())
    return Ranked(lists={"DSSM": lists}, seconds=training_seconds(model))


def ease(bench: Bench) -> Ranked:
    """EASE^R on the items of the histories that models learn from; new items have weight zero."""
    split, count = bench.split, len(bench.split.items)
    learnt, asked = (
        history_matrix(rows_of_users(histories, split.items), count)
        for histories in (split.learnt, split.asked)
    )
    weights = ease_weights(learnt, ridge=bench.options["ease"]["ridge"])
    lists = top_k(asked, weights.T, k=LENGTH, excluded=split.seen)
    return Ranked(lists={"EASE^R": lists})


def popularity(bench: Bench) -> Ranked:
    """The items that most events of the learnt histories have."""
    rows, _ = _learnt_events(bench.split)
    order = popularity_order(rows, len(bench.split.items))
    lists = same_list_for_all(order, _excluded(bench.split), length=LENGTH)
    return Ranked(lists={"popularity": lists})


def recent_popularity(bench: Bench) -> Ranked:
    """The items of most events in the days before a list is asked for, ties by all events."""
    split, excluded = bench.split, _excluded(bench.split)
    rows, days = _learnt_events(split)
    ever = np.bincount(rows, minlength=len(split.items))  # [N]
    lists = np.empty((len(split.asked), LENGTH), dtype=np.int64)  # [U, LENGTH]
    for day in np.unique(split.asked_on):
        recent = rows[(days < day) & (days >= day - RECENT_DAYS)]
        order = np.lexsort((-ever, -np.bincount(recent, minlength=len(ever))))  # [N]
        users = np.flatnonzero(split.asked_on == day)
        lists[users] = same_list_for_all(order, [excluded[user] for user in users], length=LENGTH)
    return Ranked(lists={f"last-{RECENT_DAYS}-days popularity": lists})


def encode_by_retriever(bench: Bench, adapter: str) -> tuple[Path, np.ndarray, np.ndarray]:
    """Train a retriever: model folder, users [U, D], and items [N+1, D], row 0 none."""
    options = {**bench.options["retriever"], "adapter": adapter}
    model = trained(bench, f"retriever-{adapter}", train_retriever_worker, options)
    encoder = load_retriever(model, bench.split.items)
    return model, encoder.users(bench.split.asked), encoder.item_vectors.numpy()


def train_generator(bench: Bench, grown: Mapping[str, Tree]) -> tuple[Path, TreeBridgeSearcher]:
    """Train a generator on some trees: model folder, and what searches them."""
    codes = {name: codes_table(tree) for name, tree in grown.items()}
    read = bench.options["treebridge"].get("item_input")
    options = {
        **bench.options["treebridge"],
        "trees": {name: list(tree.level_sizes) for name, tree in grown.items()},
        "generations": {name: tree.generation for name, tree in grown.items()},
        "capacity": SHAPE.leaf_capacity,
    }
    name = "-".join(("treebridge", *grown, *([read] if read else [])))
    model = trained(bench, name, train_treebridge_worker, options, codes)
    found = load_searcher(
        model, bench.split.items, codes, beam=BEAM, fusion=FUSION, new_item_bonus=0.0
    )
    return model, found


def grow_trees(bench: Bench, names: Sequence[str]) -> dict[str, Tree]:
    """Trees of the known items, which the new ones have joined."""
    items = bench.split.items
    spaces: dict[str, Callable[[], np.ndarray]] = {
        "llm": lambda: text_matrix(items),
        "cf": lambda: encode_items(_train_dssm(bench), items),
    }
    refreshed = refresh_trees(
        {},
        {name: spaces[name]() for name in names},
        items["item_id"].to_pylist(),
        recipe=Recipe(day=_NO_DAY, shape=SHAPE, iterations=TREE_ITERATIONS, seed=TREE_SEED),
        known=bench.split.known,
    )
    return {name: one.tree for name, one in refreshed.items()}


def nearest(split: Split, users: np.ndarray, items: np.ndarray) -> np.ndarray:
    """[U, LENGTH] best items by dot product; row 0 of the items' vectors is none."""
    return top_k(users, items[1:], k=LENGTH, excluded=split.seen)


def _search(bench: Bench, trees: Sequence[str]) -> tuple[Path, Recommendations]:
    """Train a generator on some trees and search them: model folder, and lists of all users."""
    split = bench.split
    model, searcher = train_generator(bench, grow_trees(bench, trees))
    return model, searcher.search(split.asked, k=LENGTH, filters=SearchFilters(excluded=split.seen))


def _recforest(bench: Bench, tree: str, name: str) -> Ranked:
    """A generator of ids alone on one tree; a cf tree is that of a DSSM of ids alone."""
    id_only = {kind: {**bench.options[kind], "item_input": "id"} for kind in ("dssm", "treebridge")}
    bench = replace(bench, options={**bench.options, **id_only})
    model, found = _search(bench, (tree,))
    return Ranked(lists={name: found.fused[0]}, seconds=training_seconds(model))


def _train_dssm(bench: Bench) -> Path:
    options = bench.options["dssm"]
    read = options.get("item_input")
    return trained(bench, f"dssm-{read}" if read else "dssm", train_dssm_worker, options)


def _excluded(split: Split) -> list[np.ndarray]:
    return split.seen or [np.zeros(0, dtype=np.int64)] * len(split.asked)


def _learnt_events(split: Split) -> tuple[np.ndarray, np.ndarray]:
    """Item row and day, since 1970, of every event that models learn from."""
    days = pc.list_flatten(split.learnt["landed_days"]).cast(pa.int32()).to_numpy()
    return np.concatenate(rows_of_users(split.learnt, split.items)), days.astype(np.int64)
