"""A whole pass of a model that makes item vectors: weights, vectors, verdict, commit."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from grove.contracts import CheckResult, load_contract
from grove.datasets import ITEM_VECTORS
from grove.quality import validate_dataset
from grove.quality.invariants import (
    finite_losses,
    finite_unit_vectors,
    finite_vectors,
    no_gap,
)
from grove.runtime.stage_run import StageRun
from grove.stages.training_pass import (
    PassWeights,
    candidate_weights,
    describe_weights,
    forget_inputs,
    updated_weights,
)
from grove.stages.update_gate import held_out_users, hits, mean_drift, update_checks
from grove.stages.vector_models import Encoded, ModelKind, training_options, update_options


def run_vector_pass(stage: StageRun, kind: ModelKind, training_pass: str) -> None:
    """Make the vectors of all items as of the day with the pass's weights, and commit them.

    Args:
        stage: of the day; named after the pass.
        kind: DSSM or STARS.
        training_pass: `candidate` (nothing of the day learnt) or `update` (the day learnt).
    """
    weights = _weights(stage, kind, training_pass)
    describe_weights(stage, weights)
    encoded = kind.load(weights.folder, weights.item_table)
    rows = _vector_rows(stage, weights, encoded, (kind.name, training_pass))
    checks = tuple(_checks(stage, kind, weights, encoded))
    verdict = validate_dataset(
        load_contract(ITEM_VECTORS),
        rows,
        run_name=f"{stage.day} {stage.name}",
        docs_folder=stage.docs_folder,
        invariants=checks,
    )
    stage.report.rows(out=len(rows))
    stage.commit(ITEM_VECTORS, rows, verdict, model=kind.name, training_pass=training_pass)
    forget_inputs(stage)


def _weights(stage: StageRun, kind: ModelKind, training_pass: str) -> PassWeights:
    section = kind.settings(stage.settings)
    if training_pass == "update":
        return updated_weights(stage, kind.job, kind.train, update_options(section))
    return candidate_weights(stage, kind.name, kind.train, training_options(section))


def _vector_rows(
    stage: StageRun, weights: PassWeights, encoded: Encoded, partition: tuple[str, str]
) -> pa.Table:
    items = weights.item_table["item_id"].combine_chunks()
    count = len(items)
    model, training_pass = partition
    return pa.table(
        {
            "day": pa.array([stage.day] * count, pa.date32()),
            "model": pa.array([model] * count, pa.string()),
            "training_pass": pa.array([training_pass] * count, pa.string()),
            "model_version": pa.array([weights.metadata.model_version] * count, pa.string()),
            "item_id": items,
            "vector": pa.array(list(encoded.item_vectors), pa.list_(pa.float32())),
        }
    )


def _checks(
    stage: StageRun, kind: ModelKind, weights: PassWeights, encoded: Encoded
) -> Iterator[CheckResult]:
    sound = finite_unit_vectors if kind.unit_norm else finite_vectors
    yield sound(encoded.item_vectors, column="vector")
    yield no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap)
    if weights.trained:
        yield finite_losses(weights.metadata.curve)
    if weights.before is not None:
        before = kind.load(weights.before, weights.item_table)
        held = held_out_users(stage, weights.item_table)
        rates = np.stack([hits(before, held), hits(encoded, held)])  # [2, U]
        drift = mean_drift(before.item_vectors, encoded.item_vectors)
        max_drift = kind.settings(stage.settings).max_drift
        yield from update_checks(stage, drift, rates, max_drift=max_drift)
