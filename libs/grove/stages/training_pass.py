"""Decide which weights a pass uses, and train them where it must."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from grove.datasets import stage_name
from grove.features.model_metadata import ModelMetadata, read_metadata
from grove.runtime.code_version import code_version
from grove.runtime.distributed import run_workers
from grove.runtime.stage_run import StageRun
from grove.stages.model_inputs import PassInputs, day_item_table, prepare_inputs
from grove.training.job_spec import TrainingSpec

WorkerFunction = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, kw_only=True)
class PassWeights:
    """The weights of one pass."""

    folder: Path
    """Model folder."""
    item_table: pa.Table
    """Items as of the day; see `grove.features.items.build_item_table`."""
    before: Path | None
    """Model folder the update started from; none in a candidate pass."""
    trained: bool
    """Whether this pass trained them."""

    @property
    def metadata(self) -> ModelMetadata:
        """Content of `model.json`."""
        return read_metadata(self.folder)


def candidate_weights(
    stage: StageRun, model: str, train: WorkerFunction, options: dict[str, Any]
) -> PassWeights:
    """Weights that have learnt nothing of the day: the previous release's, or new ones.

    On an ordinary day no session is opened, no history is read and nothing is trained. On a
    retrain day the model learns from scratch from the histories cut before the day.

    Args:
        stage: of the day.
        model: name of the model's folder in a release.
        train: function each rank runs.
        options: of a training from scratch.
    """
    plan = stage.earlier_report("plan_day")["notes"]
    if plan["kind"] == "ordinary":
        folder = Path(stage.layout.releases(), plan["previous_release"], "models", model)
        stage.report.artifact = str(folder)
        items = day_item_table(stage)
        stage.report.rows(in_=len(items))
        return PassWeights(folder=folder, item_table=items, before=None, trained=False)
    inputs = prepare_inputs(stage, cut="before")
    spec = _spec(stage, inputs, options, stage.day - timedelta(days=1))
    folder = _train(stage, train, spec)
    return PassWeights(folder=folder, item_table=inputs.item_table, before=None, trained=True)


def updated_weights(
    stage: StageRun, job: str, train: WorkerFunction, options: dict[str, Any]
) -> PassWeights:
    """The candidate's weights after a short pass over what they have not learnt, the day included.

    Held-out users take no part in it; see `grove.stages.update_gate.update_checks`.

    Args:
        stage: of the day, named after the update.
        job: whose candidate pass came before.
        train: function each rank runs.
        options: of an update.
    """
    before = Path(stage.earlier_report(stage_name(job))["artifact"])
    inputs = prepare_inputs(stage, cut="through", warm_start=before)
    metadata = read_metadata(before)
    spec = replace(
        _spec(stage, inputs, options, stage.day),
        warm_start=str(before),
        learned_through=metadata.learned_through,
        holdout_share=stage.settings.evaluation.holdout_share,
        max_events=metadata.max_events,
    )
    folder = _train(stage, train, spec)
    return PassWeights(folder=folder, item_table=inputs.item_table, before=before, trained=True)


def describe_weights(stage: StageRun, weights: PassWeights) -> None:
    """Put version, curve and whether it was trained into the stage's report."""
    metadata = weights.metadata
    stage.report.note("model_version", metadata.model_version)
    stage.report.note("learned_through", metadata.learned_through)
    stage.report.note("curve", metadata.curve if weights.trained else [])
    stage.report.note("trained", weights.trained)
    stage.report.version("weights", metadata.model_version)


def forget_inputs(stage: StageRun) -> None:
    """Remove what was prepared for the pass; a pass that failed keeps it, to be resumed."""
    shutil.rmtree(stage.layout.staging(stage.name, stage.day), ignore_errors=True)


def _spec(
    stage: StageRun, inputs: PassInputs, options: dict[str, Any], through: date
) -> TrainingSpec:
    return TrainingSpec(
        files=list(inputs.files),
        inputs=str(inputs.folder),
        output=str(stage.new_attempt()),
        through=f"{through:%Y-%m-%d}",
        checkpoint=str(Path(stage.layout.staging(stage.name, stage.day)) / "checkpoint"),
        learn_repeats=stage.settings.source.keep_seen_items,
        max_events=stage.settings.histories.max_events,
        seed=stage.settings.distributed.seed,
        use_gpu=stage.settings.distributed.use_gpu,
        options=options,
        code_version=code_version(),
    )


def _train(stage: StageRun, train: WorkerFunction, spec: TrainingSpec) -> Path:
    run_workers(train, spec.as_json(), stage.settings, stage.spark())
    return stage.seal_attempt()
