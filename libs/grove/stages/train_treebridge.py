"""The passes of TreeBridge's generator: weights over the day's trees, and their verdict."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grove.contracts import Verdict
from grove.datasets import CODES, TREES, Layout
from grove.errors import DataError
from grove.features.model_metadata import read_metadata
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.settings.models import TreeBridgeSettings
from grove.stages.handoffs import TreesReport, read_trees, read_weights
from grove.stages.training_pass import INPUTS, PassWeights, pass_weights, training_options
from grove.stages.update_gate import (
    CUTOFF,
    HeldOut,
    UpdateEffect,
    held_out_users,
    hits_of_lists,
    mean_drift,
)
from grove.systems.treebridge.search import SearchFilters, TreeBridgeSearcher, load_searcher
from grove.systems.treebridge.train import codes_file, train_treebridge_worker

SYSTEM = "treebridge"
"""In a release's folder, and the name of the verdict."""


def train_treebridge(run: StageRun, training_pass: str) -> None:
    """Train the generator over the day's trees, or reuse earlier weights, and check them.

    Args:
        run: of the pass.
        training_pass: `candidate` (not trained on the day) or `update` (trained on it).
    """
    settings, section = run.settings, run.settings.treebridge
    trees, codes = read_trees(run.layout, run.day), read_codes(run.layout, run.day)
    if training_pass == "update":
        require_same_trees(read_weights(run.layout, run.day, SYSTEM).folder, trees)
    write_codes(run.staging / INPUTS, codes)
    options = training_options(section, training_pass) | _tree_options(trees)
    weights = pass_weights(run, SYSTEM, training_pass, train_treebridge_worker, options)
    require_same_trees(weights.folder, trees)
    run.report.note("generations", weights.metadata.generations)
    run.report.rows(out=sum(len(tree) for tree in codes.values()))
    checks = [run.check_gaps(), *weights.loss_checks()]
    if weights.before is not None:
        held = held_out_users(
            run.layout,
            run.day,
            weights.item_table,
            share=settings.evaluation.holdout_share,
            keep_seen=settings.source.keep_seen_items,
        )
        effect = _update_effect(weights.before, weights, codes, held, search=section)
        run.report.note_all(effect.as_notes())
        checks += effect.checks(settings.evaluation, max_drift=section.max_drift)
    run.record(Verdict(SYSTEM, tuple(checks)))
    run.clear_staging()


def read_codes(layout: Layout, day: date) -> dict[str, pa.Table]:
    """Codes of a day by tree: item_id, path, slot."""
    columns = ("item_id", "path", "slot")
    return {tree: read_arrow(layout, CODES, columns=columns, day=day, tree=tree) for tree in TREES}


def write_codes(folder: Path, codes: Mapping[str, pa.Table]) -> dict[str, Path]:
    """Write codes where every worker can read them; returns the file of each tree."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {tree: folder / codes_file(tree) for tree in codes}
    for tree, table in codes.items():
        pq.write_table(table, files[tree])
    return files


def require_same_trees(folder: Path, trees: TreesReport) -> None:
    """Check that a generator was trained on a day's trees.

    Args:
        folder: of the model.
        trees: of the day.

    Raises:
        DataError: the model was trained on another tree generation.
    """
    trained_on = read_metadata(folder).generations
    if trained_on != trees.generations:
        raise DataError(
            "the generator was trained on another tree generation",
            where=str(folder),
            expected=f"generations {trees.generations}, the day's",
            found=f"generations {trained_on}",
            next_step="trees are rebuilt on a retrain day only: run the day again with --retrain",
        )


def open_searcher(
    folder: Path, item_table: pa.Table, codes: Mapping[str, pa.Table], search: TreeBridgeSettings
) -> TreeBridgeSearcher:
    """Load a generator with a day's items and codes, to search as the settings say.

    Args:
        folder: of the model.
        item_table: of the day.
        codes: item_id, path, slot by tree.
        search: beam, fusion of the trees, and bonus of cold-start items.
    """
    return load_searcher(
        folder,
        item_table,
        codes,
        beam=search.beam,
        fusion=search.fusion,
        new_item_bonus=search.new_item_bonus,
    )


def _tree_options(trees: TreesReport) -> dict[str, Any]:
    return {
        "trees": trees.levels,
        "capacity": trees.capacity,
        "generations": trees.generations,
    }


def _update_effect(
    before: Path,
    after: PassWeights,
    codes: Mapping[str, pa.Table],
    held: HeldOut,
    *,
    search: TreeBridgeSettings,
) -> UpdateEffect:
    """Drift of the item vectors, and hits of the held-out users before and after an update."""
    # The day's new items are cold for the weights before only, so a bonus would boost one side.
    unbiased = search.model_copy(update={"new_item_bonus": 0.0})
    searchers = [
        open_searcher(folder, after.item_table, codes, unbiased)
        for folder in (before, after.folder)
    ]
    vectors = [searcher.item_vectors[1:].numpy() for searcher in searchers]
    return UpdateEffect(
        drift=mean_drift(vectors[0], vectors[1]),
        hits=np.stack([_hits(searcher, held) for searcher in searchers]),
    )


def _hits(searcher: TreeBridgeSearcher, held: HeldOut) -> np.ndarray:
    """Whether each held-out user's list has one of its targets, [U] float 0 or 1."""
    filters = SearchFilters(excluded=held.seen)
    lists, _ = searcher.recommend(held.histories, k=CUTOFF, filters=filters)
    return hits_of_lists(lists, held)
