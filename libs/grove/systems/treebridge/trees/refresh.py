"""Update of a day's trees: a rebuild, or an extension by the day's new items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from grove.errors import DataError
from grove.systems.treebridge.trees.build import build_tree
from grove.systems.treebridge.trees.growth import append, keep_items
from grove.systems.treebridge.trees.quality import code_churn, tree_quality
from grove.systems.treebridge.trees.requirements import require_item_ids, require_vectors
from grove.systems.treebridge.trees.shape import TreeShape
from grove.systems.treebridge.trees.tree import Tree

MEASURES = ("churn", "free_share", "distortion", "coherence", "coherence_by_chance")
"""Entries of a description that are metrics, recorded every day."""


@dataclass(frozen=True, kw_only=True)
class Refresh:
    """A day's tree and how it was made."""

    tree: Tree
    rebuilt: bool
    appended: int
    """New items that took a free slot."""
    unplaced: int
    """New items without a free slot; the tree then holds none of the new items."""
    churn: float
    """Share of the items of the previous tree whose path changed."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Options of a tree's construction."""

    day: date
    """Day of the build, recorded in the tree."""
    shape: TreeShape
    iterations: int
    """K-means rounds per split from scratch."""
    seed: int


def refresh_trees(
    previous: Mapping[str, Tree],
    vectors: Mapping[str, np.ndarray],
    item_ids: Sequence[str] | np.ndarray,
    *,
    recipe: Recipe | None,
    known: np.ndarray | None = None,
) -> dict[str, Refresh]:
    """Update every tree to a day.

    Args:
        previous: trees in use, by name; empty on the first day.
        vectors: [N, D] float, by name of the tree.
        item_ids: N distinct ids.
        recipe: how to build; none extends the trees in use.
        known: [N] bool, the items a tree is built from; the others join it afterwards, as new
            items do on any day. None: it is built from all.

    Returns:
        The refreshed trees, by name.

    Raises:
        DataError: vectors or ids are invalid; the message names the tree.
    """
    ids = np.asarray(item_ids)
    chosen = np.ones(len(ids), dtype=bool) if known is None else known
    refreshed: dict[str, Refresh] = {}
    for name, space in vectors.items():
        try:
            refreshed[name] = (
                extend(previous[name], space, ids)
                if recipe is None
                else _rebuild_and_join(space, ids, chosen, recipe, previous.get(name))
            )
        except DataError as error:
            raise error.inside(f"{name} tree") from error
    return refreshed


def _rebuild_and_join(
    vectors: np.ndarray,
    item_ids: np.ndarray,
    known: np.ndarray,
    recipe: Recipe,
    previous: Tree | None,
) -> Refresh:
    """Build a tree from the known items, and let the others join it."""
    built = rebuild(vectors[known], item_ids[known], recipe=recipe, previous=previous)
    joined = extend(built.tree, vectors, item_ids)
    return replace(built, tree=joined.tree, appended=joined.appended, unplaced=joined.unplaced)


def rebuild(
    vectors: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    *,
    recipe: Recipe,
    previous: Tree | None,
) -> Refresh:
    """Build a day's tree, starting from the tree in use; from scratch on the first day.

    Args:
        vectors: [N, D] float.
        item_ids: N distinct ids.
        recipe: how to build.
        previous: tree in use, if there is one.

    Returns:
        The new tree, and the share of items whose path differs from the previous one.
    """
    tree = build_tree(
        vectors,
        item_ids,
        shape=recipe.shape,
        iterations=recipe.iterations,
        seed=recipe.seed,
        previous=previous,
    )
    return Refresh(
        tree=replace(tree, built_on=recipe.day.isoformat()),
        rebuilt=True,
        appended=0,
        unplaced=0,
        churn=code_churn(previous, tree) if previous else 0.0,
    )


def extend(previous: Tree, vectors: np.ndarray, item_ids: Sequence[str] | np.ndarray) -> Refresh:
    """Append new items to the tree and remove items that are no longer in the catalogue.

    Args:
        previous: tree in use.
        vectors: [N, D] float, from the space the tree was built in.
        item_ids: N distinct ids, those the tree holds already among them.

    Returns:
        The grown tree, or the previous one with `unplaced` set when slots do not suffice.

    Raises:
        DataError: vectors or ids are invalid, those of items in the tree included.
    """
    dense = require_vectors(vectors, item_ids)
    ids = require_item_ids(item_ids, len(dense))
    kept = keep_items(previous, ids)
    held = set(kept.item_ids)
    new = np.flatnonzero([item_id not in held for item_id in ids])
    fits = len(new) <= kept.free_slots
    tree = append(kept, dense[new], ids[new]) if fits else kept
    return Refresh(
        tree=tree,
        rebuilt=False,
        appended=len(new) if fits else 0,
        unplaced=0 if fits else len(new),
        churn=code_churn(previous, tree),
    )


def describe(
    refresh: Refresh,
    vectors: np.ndarray,
    item_ids: Sequence[str] | np.ndarray,
    categories: Sequence[str],
) -> dict[str, Any]:
    """Describe a refreshed tree and its quality in JSON types.

    Args:
        refresh: the tree and how it was made.
        vectors: [N, D] float, of at least the tree's items.
        item_ids: N ids of these vectors.
        categories: N category names.

    Returns:
        The measures of `tree_quality`, and `generation`, `built_on`, `levels`, `capacity`,
        `churn`, `appended`, `unplaced`, `rebuilt`.
    """
    tree = refresh.tree
    row_of = {item_id: row for row, item_id in enumerate(item_ids)}
    rows = np.array([row_of[item_id] for item_id in tree.item_ids])
    return {
        "generation": tree.generation,
        "built_on": tree.built_on,
        "levels": list(tree.level_sizes),
        "capacity": tree.leaf_capacity,
        "churn": refresh.churn,
        "appended": refresh.appended,
        "unplaced": refresh.unplaced,
        "rebuilt": refresh.rebuilt,
        **tree_quality(tree, vectors[rows], np.asarray(categories, dtype=object)[rows]),
    }


def metric_rows(descriptions: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of `metrics` from the descriptions of `describe`, by tree."""
    return [
        {"model": name, "metric": metric, "value": described[metric], "support": described["items"]}
        for name, described in descriptions.items()
        for metric in MEASURES
    ]
