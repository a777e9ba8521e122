"""The passes of TreeBridge's generator: weights over the day's trees, and their verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from grove.contracts import Verdict
from grove.runtime.stage_run import StageRun
from grove.settings.models import TreeBridgeSettings
from grove.stages.generator import open_searcher, read_codes, require_same_trees, write_codes
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
from grove.systems.treebridge.search import SearchFilters, TreeBridgeSearcher
from grove.systems.treebridge.train import train_treebridge_worker

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
