"""A whole pass of TreeBridge: codes, weights, verdict. It writes no table but its verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grove.contracts import CheckResult, Verdict
from grove.datasets import CODES, TREES
from grove.errors import DataError
from grove.features.model_metadata import ModelMetadata, read_metadata
from grove.quality.invariants import finite_losses, no_gap
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.settings.models import TreeBridgeSettings
from grove.stages.model_inputs import inputs_folder
from grove.stages.training_pass import (
    PassWeights,
    candidate_weights,
    describe_weights,
    forget_inputs,
    updated_weights,
)
from grove.stages.update_gate import (
    CUTOFF,
    HeldOut,
    held_out_users,
    hits_of_lists,
    mean_drift,
    update_checks,
)
from grove.stages.vector_models import training_options, update_options
from grove.systems.treebridge.search import SearchFilters, TreeBridgeSearcher, load_searcher
from grove.systems.treebridge.train import codes_file, train_treebridge_worker

MODEL = "treebridge"
"""In a release's folder, and the name of the verdict."""
JOB = "train_treebridge"


def run_treebridge_pass(stage: StageRun, training_pass: str) -> None:
    """Train the generator over the day's trees, or take earlier weights, and judge them.

    Args:
        stage: of the day; named after the pass.
        training_pass: `candidate` (nothing of the day learnt) or `update` (the day learnt).
    """
    codes = day_codes(stage)
    weights = _weights(stage, training_pass, codes)
    require_day_trees(stage, weights.folder)
    describe_weights(stage, weights)
    stage.report.note("generations", weights.metadata.generations)
    stage.report.rows(out=sum(len(tree) for tree in codes.values()))
    stage.record(Verdict(MODEL, tuple(_checks(stage, weights, codes))))
    forget_inputs(stage)


def day_codes(stage: StageRun) -> dict[str, pa.Table]:
    """Codes of the stage's day by tree: item_id, path, slot."""
    columns = ("item_id", "path", "slot")
    return {
        tree: read_arrow(stage.layout, CODES, columns=columns, day=stage.day, tree=tree)
        for tree in TREES
    }


def tree_generations(stage: StageRun) -> dict[str, str]:
    """Generation of each of the day's trees; appending items does not change it."""
    notes = stage.earlier_report("build_trees")["notes"]
    return {tree: str(notes[tree]["generation"]) for tree in TREES}


def require_same_trees(
    metadata: ModelMetadata, generations: Mapping[str, str], *, where: str
) -> None:
    """Check that a generator speaks the codes of a day's trees.

    Args:
        metadata: of the model folder.
        generations: of the day's trees.
        where: the model folder, for the message.

    Raises:
        DataError: the model was trained on other trees.
    """
    spoken = metadata.generations
    if spoken != dict(generations):
        raise DataError(
            "the generator speaks the codes of other trees",
            where=where,
            expected=f"generations {dict(generations)}, the day's",
            found=f"generations {spoken}, those it was trained on",
            next_step="trees are rebuilt on a retrain day only: run the day again with --retrain",
        )


def open_searcher(
    folder: Path,
    item_table: pa.Table,
    codes: Mapping[str, pa.Table],
    search: TreeBridgeSettings,
) -> TreeBridgeSearcher:
    """Load a generator with a day's items and codes, to search as the settings say.

    Args:
        folder: of the model.
        item_table: of the day.
        codes: item_id, path, slot by tree.
        search: beam, fusion of the trees, and what new items are favoured by.
    """
    return load_searcher(
        folder,
        item_table,
        codes,
        beam=search.beam,
        fusion=search.fusion,
        new_item_bonus=search.new_item_bonus,
    )


def _weights(stage: StageRun, training_pass: str, codes: Mapping[str, pa.Table]) -> PassWeights:
    for tree, table in codes.items():
        pq.write_table(table, inputs_folder(stage) / codes_file(tree))
    section = stage.settings.treebridge
    if training_pass == "update":
        require_day_trees(stage, Path(stage.earlier_report(JOB)["artifact"]))
        options = update_options(section) | _tree_options(stage)
        return updated_weights(stage, JOB, train_treebridge_worker, options)
    options = training_options(section) | _tree_options(stage)
    return candidate_weights(stage, MODEL, train_treebridge_worker, options)


def require_day_trees(stage: StageRun, folder: Path) -> None:
    """Check that a generator speaks the codes of the stage's day; see `require_same_trees`."""
    require_same_trees(read_metadata(folder), tree_generations(stage), where=str(folder))


def _tree_options(stage: StageRun) -> dict[str, Any]:
    notes = stage.earlier_report("build_trees")["notes"]
    return {
        "trees": {tree: list(notes[tree]["levels"]) for tree in TREES},
        "capacity": max(int(notes[tree]["capacity"]) for tree in TREES),
        "generations": tree_generations(stage),
    }


def _checks(
    stage: StageRun, weights: PassWeights, codes: Mapping[str, pa.Table]
) -> Iterator[CheckResult]:
    yield no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap)
    if weights.trained:
        yield finite_losses(weights.metadata.curve)
    if weights.before is not None:
        # The day's new items are new to the weights before, and favoured with those alone.
        search = stage.settings.treebridge.model_copy(update={"new_item_bonus": 0.0})
        searchers = tuple(
            open_searcher(folder, weights.item_table, codes, search)
            for folder in (weights.before, weights.folder)
        )
        held = held_out_users(stage, weights.item_table)
        drift = mean_drift(*(searcher.item_vectors[1:].numpy() for searcher in searchers))
        rates = np.stack([_hits(searcher, held) for searcher in searchers])  # [2, U]
        max_drift = stage.settings.treebridge.max_drift
        yield from update_checks(stage, drift, rates, max_drift=max_drift)


def _hits(searcher: TreeBridgeSearcher, held: HeldOut) -> np.ndarray:
    """Whether each held-out user's list has one of its targets, [U] float 0 or 1."""
    lists, _ = searcher.recommend(
        held.histories, k=CUTOFF, filters=SearchFilters(excluded=held.seen)
    )
    return hits_of_lists(lists, held)
