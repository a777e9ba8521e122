"""What `build_trees` tells of its trees, and what it checks before their codes are kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from grove.contracts import Verdict, load_contract
from grove.datasets import CODES, ITEM_VECTORS, TREES
from grove.features.items import text_matrix
from grove.quality import validate_dataset
from grove.quality.invariants import leaf_capacity, no_gap, one_path_per_item
from grove.quality.invariants.codes import codes_kept, slots_distinct, slots_suffice
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
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


def build_day_trees(stage: StageRun) -> None:
    """Rebuild or extend both trees, validate their codes, and keep them if they pass."""
    plan = stage.earlier_report("plan_day")["notes"]
    release = plan["previous_release"]
    folder = Path(stage.layout.releases(), release, "trees") if release else None
    trees = {name: load_tree(folder / name) for name in TREES} if folder else {}
    recipe = _recipe(stage) if plan["rebuild_trees"] or not trees else None
    items = day_item_table(stage)
    dssm = _trained_dssm(stage) if recipe or not folder else folder / "cf" / "dssm"
    vectors = {
        "llm": text_matrix(items),
        "cf": _trained_vectors(stage, items) if recipe else encode_items(dssm, items),
    }
    ids = items["item_id"].to_pylist()
    known = known_items(stage, items["item_id"]) if recipe else None
    refreshed = refresh_trees(trees, vectors, ids, recipe=recipe, known=known)
    metrics = report_trees(stage, refreshed, vectors, items)
    codes = codes_of_day({name: one.tree for name, one in refreshed.items()}, stage.day)
    _save(stage.new_attempt(), refreshed, dssm)
    verdict = validate_codes(stage, codes, refreshed, ids)
    if stage.commit(CODES, codes, verdict, tree=list(TREES)):
        stage.measure(metrics)
        stage.seal_attempt()


def report_trees(
    stage: StageRun,
    refreshed: Mapping[str, Refresh],
    vectors: Mapping[str, np.ndarray],
    items: pa.Table,
) -> list[dict[str, Any]]:
    """Put the quality of every tree into the report.

    Args:
        stage: of the day.
        refreshed: trees by name.
        vectors: [N, D] the vectors each tree orders, by name.
        items: N rows of the item table.

    Returns:
        The same as rows of `metrics`, to be measured once the trees are kept.
    """
    ids, categories = items["item_id"].to_pylist(), items["category"].to_pylist()
    told = {name: describe(one, vectors[name], ids, categories) for name, one in refreshed.items()}
    for name, note in told.items():
        stage.report.note(name, note)
        stage.report.version(f"{name}_tree", note["generation"])
    stage.report.rows(in_=len(ids), out=sum(note["items"] for note in told.values()))
    return metric_rows(told)


def validate_codes(
    stage: StageRun, codes: pa.Table, refreshed: Mapping[str, Refresh], item_ids: Sequence[str]
) -> Verdict:
    """Contract of `codes`, and what each tree promises.

    Args:
        stage: of the day.
        codes: rows of both trees.
        refreshed: trees by name.
        item_ids: items that must each have one path per tree.
    """
    checks = {
        name: (
            one_path_per_item(one.tree.item_ids, item_ids),
            leaf_capacity(one.tree.paths, capacity=one.tree.leaf_capacity),
            slots_distinct(one.tree.leaves, one.tree.slots),
            slots_suffice(
                one.unplaced, free=one.tree.free_slots, day=stage.day, rebuilt=one.rebuilt
            ),
            codes_kept(one.churn, rebuilt=one.rebuilt),
        )
        for name, one in refreshed.items()
    }
    named = [replace(one, name=f"{tree}_{one.name}") for tree in checks for one in checks[tree]]
    named.append(no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap))
    contract, run_name = load_contract(CODES), f"{stage.day} {stage.name}"
    return validate_dataset(
        contract, codes, run_name=run_name, docs_folder=stage.docs_folder, invariants=named
    )


def _recipe(stage: StageRun) -> Recipe:
    wish = stage.settings.trees
    shape = TreeShape(**wish.model_dump(include={"level_sizes", "leaf_capacity", "headroom"}))
    return Recipe(day=stage.day, shape=shape, iterations=wish.iterations, seed=wish.seed)


def _trained_dssm(stage: StageRun) -> Path:
    return Path(stage.earlier_report("train_dssm")["artifact"])


def _trained_vectors(stage: StageRun, items: pa.Table) -> np.ndarray:
    rows = read_arrow(
        stage.layout, ITEM_VECTORS, day=stage.day, model="dssm", training_pass="candidate"
    )
    return vectors_of_items(rows, items["item_id"])


def _save(folder: Path, refreshed: Mapping[str, Refresh], dssm: Path) -> None:
    for name, one in refreshed.items():
        save_tree(folder / name, one.tree)
    shutil.copytree(dssm, folder / "cf" / "dssm")
