"""Competing models of Q1 and Q2: each is trained if needed and ranks items for every user.

Every one takes a bench and returns a `Ranked`, with the code that serves a day.
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

TEXT_INPUT = "only, text at the input"
"""Ends the name of a single-tree model whose item vectors read text; `RecForest` models do not."""
LENGTH = 100
"""K, items per list."""
BEAM = 100
FUSION = "sum"
SHAPE = TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25)
TREE_ITERATIONS = 15
TREE_SEED = 17
RECENT_DAYS = 7
_NO_DAY = date(1970, 1, 1)
"""Trees of a benchmark have no day."""
Lists = dict[str, np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """Lists of one model, and the seconds of its training."""

    lists: Lists
    """[U, LENGTH] int64 item rows, best first, by name of the list."""
    seconds: float | None = None
    """Of its training; none where nothing was trained, or the training was resumed."""


def treebridge(bench: Bench) -> Ranked:
    """Both trees, one training: the fused list, and the list of each tree alone."""
    model, found = _search(bench, TREES)
    parts = {f"TreeBridge, its {tree} tree": lists for tree, (lists, _) in found.by_tree.items()}
    return Ranked(lists={"TreeBridge": found.fused[0], **parts}, seconds=training_seconds(model))


def single_tree(bench: Bench, tree: str) -> Ranked:
    """The same generator trained on one tree; its item vectors read text."""
    model, found = _search(bench, (tree,))
    return Ranked(
        lists={f"{tree} tree {TEXT_INPUT}": found.fused[0]}, seconds=training_seconds(model)
    )


def recforest_cf(bench: Bench) -> Ranked:
    """The paper's CF Tree-only: the tree of an id-only DSSM, and a generator that reads ids.

    Text is in none of its parts: item vectors, attributes, or the position of an item in the tree.

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
        bench: split and options.
        adapter: map between text vector and dot product.
        name: of its list.
    """
    model, users, items = encode_by_retriever(bench, adapter)
    return Ranked(lists={name: nearest(bench.split, users, items)}, seconds=training_seconds(model))


def dssm(bench: Bench) -> Ranked:
    """Two towers; the cf tree is built from another DSSM, with the bench's own options."""
    model = _train_dssm(bench)
    encoder = load_dssm(model, bench.split.items)
    lists = nearest(bench.split, encoder.users(bench.split.asked), encoder.item_vectors.numpy())
    return Ranked(lists={"DSSM": lists}, seconds=training_seconds(model))


def ease(bench: Bench) -> Ranked:
    """EASE^R on the items of the training histories; new items have weight zero."""
    split, count = bench.split, len(bench.split.items)
    learnt, asked = (
        history_matrix(rows_of_users(histories, split.items), count)
        for histories in (split.learnt, split.asked)
    )
    weights = ease_weights(learnt, ridge=bench.options["ease"]["ridge"])
    lists = top_k(asked, weights.T, k=LENGTH, excluded=split.seen)
    return Ranked(lists={"EASE^R": lists})


def popularity(bench: Bench) -> Ranked:
    """Items by number of events in the training histories."""
    rows, _ = _learnt_events(bench.split)
    order = popularity_order(rows, len(bench.split.items))
    lists = same_list_for_all(order, _excluded(bench.split), length=LENGTH)
    return Ranked(lists={"popularity": lists})


def recent_popularity(bench: Bench) -> Ranked:
    """Items by number of events in the days before the list's day, ties by all events."""
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
    """Train a generator on some trees: model folder, and the searcher."""
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
    """Trees built from the known items, which the new items have joined."""
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
    """[U, LENGTH] best items by dot product; row 0 of the item vectors is no item."""
    return top_k(users, items[1:], k=LENGTH, excluded=split.seen)


def _search(bench: Bench, trees: Sequence[str]) -> tuple[Path, Recommendations]:
    """Train a generator on some trees and search them: model folder, and lists of all users."""
    split = bench.split
    model, searcher = train_generator(bench, grow_trees(bench, trees))
    return model, searcher.search(split.asked, k=LENGTH, filters=SearchFilters(excluded=split.seen))


def _recforest(bench: Bench, tree: str, name: str) -> Ranked:
    """An id-only generator on one tree; a cf tree is built from an id-only DSSM."""
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
    """Item row and day, since 1970, of every training event."""
    days = pc.list_flatten(split.learnt["landed_days"]).cast(pa.int32()).to_numpy()
    return np.concatenate(rows_of_users(split.learnt, split.items)), days.astype(np.int64)
