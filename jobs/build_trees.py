"""Give every item a path in the llm tree and in the cf tree.

Reads   items as of D, text_embeddings; item_vectors[dssm, candidate] of D where the plan
        rebuilds, else the trees of the previous release; a rebuild is made of the items of
        the evening before, and the day's own join it
Writes  codes of D for both trees; an artifact with `llm/`, `cf/` and `cf/dssm/`, the
        frozen model that places new items in the cf tree
Fails   when vectors are missing, not finite or zero; refuses the day, leaving the old
        codes, when a tree has no slot left for the day's new items

    python jobs/build_trees.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import shutil
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.catalog import CODES, ITEM_VECTORS, TREES
from grove.features.items import text_matrix
from grove.inference.dssm import encode_items
from grove.passes.inputs import day_item_table, known_items
from grove.passes.trees import judge_codes, report_trees
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage import Stage, open_stage
from grove.runtime.tables import read_arrow
from grove.trees import TreeShape, load_tree, save_tree
from grove.trees.codes import codes_of_day, vectors_of_items
from grove.trees.refresh import Recipe, Refresh, refresh_trees


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Rebuild or extend both trees, judge their codes, and keep them if they pass."""
    with open_stage("build_trees", arguments) as stage:
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
        verdict = judge_codes(stage, codes, refreshed, ids)
        if stage.commit(CODES, codes, verdict, tree=list(TREES)):
            stage.measure(metrics)
            stage.seal_attempt()


def _recipe(stage: Stage) -> Recipe:
    wish = stage.settings.trees
    shape = TreeShape(**wish.model_dump(include={"level_sizes", "leaf_capacity", "headroom"}))
    return Recipe(day=stage.day, shape=shape, iterations=wish.iterations, seed=wish.seed)


def _trained_dssm(stage: Stage) -> Path:
    return Path(stage.earlier_report("train_dssm")["artifact"])


def _trained_vectors(stage: Stage, items: pa.Table) -> np.ndarray:
    rows = read_arrow(
        stage.layout, ITEM_VECTORS, day=stage.day, model="dssm", training_pass="candidate"
    )
    return vectors_of_items(rows, items["item_id"])


def _save(folder: Path, refreshed: Mapping[str, Refresh], dssm: Path) -> None:
    for name, one in refreshed.items():
        save_tree(folder / name, one.tree)
    shutil.copytree(dssm, folder / "cf" / "dssm")


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
