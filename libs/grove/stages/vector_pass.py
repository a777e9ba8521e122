"""A whole pass of a model that makes item vectors: weights, vectors, checks, commit."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from grove.datasets import ITEM_VECTORS
from grove.quality.invariants import finite_unit_vectors, finite_vectors
from grove.runtime.stage_run import StageRun
from grove.settings.models import TrainingSettings
from grove.stages.encoded import Encoded
from grove.stages.training_pass import pass_weights, training_options
from grove.stages.update_gate import HeldOut, UpdateEffect, held_out_users, hits, mean_drift
from grove.stages.vector_models import VECTOR_MODELS


def run_vector_pass(run: StageRun, system: str, training_pass: str) -> None:
    """Make the vectors of all items as of the day with the pass's weights, and commit them.

    Args:
        run: of the pass.
        system: name of the model.
        training_pass: `candidate` (not trained on the day) or `update` (trained on it).
    """
    model, settings = VECTOR_MODELS[system], run.settings
    section: TrainingSettings = getattr(settings, system)
    options = training_options(section, training_pass)
    weights = pass_weights(run, system, training_pass, model.train, options)
    encoded = model.load(weights.folder, weights.item_table)
    finite = finite_unit_vectors if model.unit_norm else finite_vectors
    checks = [finite(encoded.item_vectors, column="vector"), run.check_gaps()]
    checks += weights.loss_checks()
    if weights.before is not None:
        held = held_out_users(
            run.layout,
            run.day,
            weights.item_table,
            share=settings.evaluation.holdout_share,
            keep_seen=settings.source.keep_seen_items,
        )
        effect = update_effect(model.load(weights.before, weights.item_table), encoded, held)
        run.report.note_all(effect.as_notes())
        checks += effect.checks(settings.evaluation, max_drift=section.max_drift)
    vectors = _item_rows(weights.item_table, encoded, weights.report.model_version)
    rows = _with_partition(vectors, day=run.day, model=system, training_pass=training_pass)
    run.report.rows(out=len(rows))
    verdict = run.validate(ITEM_VECTORS, rows, checks)
    run.commit(ITEM_VECTORS, rows, verdict, model=system, training_pass=training_pass)
    run.clear_staging()


def update_effect(before: Encoded, after: Encoded, held: HeldOut) -> UpdateEffect:
    """Drift of the item vectors, and hits of the held-out users before and after an update."""
    return UpdateEffect(
        drift=mean_drift(before.item_vectors, after.item_vectors),
        hits=np.stack([hits(before, held), hits(after, held)]),
    )


def _item_rows(item_table: pa.Table, encoded: Encoded, model_version: str) -> pa.Table:
    items = item_table["item_id"].combine_chunks()
    return pa.table(
        {
            "model_version": pa.array([model_version] * len(items), pa.string()),
            "item_id": items,
            "vector": pa.array(list(encoded.item_vectors), pa.list_(pa.float32())),
        }
    )


def _with_partition(rows: pa.Table, *, day: date, model: str, training_pass: str) -> pa.Table:
    """The rows with the columns of their partition in front."""
    count = len(rows)
    partition = {
        "day": pa.array([day] * count, pa.date32()),
        "model": pa.array([model] * count, pa.string()),
        "training_pass": pa.array([training_pass] * count, pa.string()),
    }
    return pa.table({**partition, **dict(zip(rows.column_names, rows.columns, strict=True))})
