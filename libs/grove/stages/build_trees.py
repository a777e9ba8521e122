"""Both trees of a day: rebuilt or extended, checked, and kept if they pass."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.contracts import CheckResult
from grove.datasets import CODES, ITEM_VECTORS, TREES, Layout
from grove.features.items import text_matrix
from grove.quality.invariants import leaf_capacity, one_path_per_item
from grove.quality.invariants.codes import codes_kept, slots_distinct, slots_suffice
from grove.runtime.records import write_metrics
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.settings.trees import TreeSettings
from grove.stages.handoffs import TreeReport, read_plan, read_weights
from grove.stages.model_inputs import day_item_table, known_items
from grove.systems.dssm.encode import encode_items
from grove.systems.treebridge.trees import TreeShape, load_tree, save_tree
from grove.systems.treebridge.trees.codes import codes_of_day, vectors_of_items
from grove.systems.treebridge.trees.refresh import (
    Recipe,
    Refresh,
    describe,
    metric_rows,
    refresh_trees,
)


def build_trees(run: StageRun) -> None:
    """Rebuild or extend both trees, validate their codes, and keep them if they pass."""
    layout, day, plan = run.layout, run.day, read_plan(run.layout, run.day)
    folder = Path(layout.releases(), plan.previous_release) if plan.previous_release else None
    trees = {name: load_tree(folder / "trees" / name) for name in TREES} if folder else {}
    items = day_item_table(layout, day)
    ids = items["item_id"].to_pylist()
    if plan.rebuild_trees or folder is None:
        dssm = read_weights(layout, day, "dssm").folder
        vectors = {"llm": text_matrix(items), "cf": _trained_vectors(layout, day, items)}
        recipe, known = _recipe(run.settings.trees, day), known_items(layout, day, items["item_id"])
        refreshed = refresh_trees(trees, vectors, ids, recipe=recipe, known=known)
    else:
        dssm = folder / "trees" / "cf" / "dssm"
        vectors = {"llm": text_matrix(items), "cf": encode_items(dssm, items)}
        refreshed = refresh_trees(trees, vectors, ids, recipe=None)
    reports = tree_reports(refreshed, vectors, items)
    for name, report in reports.items():
        run.report.note(name, report.as_notes())
        run.report.version(f"{name}_tree", report.generation)
    run.report.rows(in_=len(ids), out=sum(len(one.tree.item_ids) for one in refreshed.values()))
    codes = codes_of_day({name: one.tree for name, one in refreshed.items()}, day)
    _save(run.new_attempt(), refreshed, dssm)
    verdict = run.validate(CODES, codes, [*tree_checks(refreshed, ids, day), run.check_gaps()])
    if run.commit(CODES, codes, verdict, tree=list(TREES)):
        metrics = metric_rows({name: report.as_notes() for name, report in reports.items()})
        write_metrics(layout, day, run.name, metrics)
        run.seal_attempt()


def tree_reports(
    refreshed: Mapping[str, Refresh], vectors: Mapping[str, np.ndarray], items: pa.Table
) -> dict[str, TreeReport]:
    """State and quality of every tree.

    Args:
        refreshed: trees by name.
        vectors: [N, D] the vectors each tree orders, by name.
        items: N rows of the item table.
    """
    ids, categories = items["item_id"].to_pylist(), items["category"].to_pylist()
    return {
        name: TreeReport.from_notes(describe(one, vectors[name], ids, categories))
        for name, one in refreshed.items()
    }


def tree_checks(
    refreshed: Mapping[str, Refresh], item_ids: Sequence[str], day: date
) -> Iterator[CheckResult]:
    """Check the invariants of each tree; the results are named after the tree.

    Args:
        refreshed: trees by name.
        item_ids: items that must each have one path per tree.
        day: of the trees.
    """
    for name, one in refreshed.items():
        checks = (
            one_path_per_item(one.tree.item_ids, item_ids),
            leaf_capacity(one.tree.paths, capacity=one.tree.leaf_capacity),
            slots_distinct(one.tree.leaves, one.tree.slots),
            slots_suffice(one.unplaced, free=one.tree.free_slots, day=day, rebuilt=one.rebuilt),
            codes_kept(one.churn, rebuilt=one.rebuilt),
        )
        yield from (replace(check, name=f"{name}_{check.name}") for check in checks)


def _recipe(settings: TreeSettings, day: date) -> Recipe:
    shape = TreeShape(**settings.model_dump(include={"level_sizes", "leaf_capacity", "headroom"}))
    return Recipe(day=day, shape=shape, iterations=settings.iterations, seed=settings.seed)


def _trained_vectors(layout: Layout, day: date, items: pa.Table) -> np.ndarray:
    rows = read_arrow(layout, ITEM_VECTORS, day=day, model="dssm", training_pass="candidate")
    return vectors_of_items(rows, items["item_id"])


def _save(folder: Path, refreshed: Mapping[str, Refresh], dssm: Path) -> None:
    for name, one in refreshed.items():
        save_tree(folder / name, one.tree)
    shutil.copytree(dssm, folder / "cf" / "dssm")
