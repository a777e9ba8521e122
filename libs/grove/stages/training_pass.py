"""Weights of a pass: reused from the previous release, or trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from grove.contracts import CheckResult
from grove.features.model_metadata import ModelMetadata, read_metadata
from grove.quality.invariants import finite_losses, something_learned
from grove.runtime.code_version import code_version
from grove.runtime.distributed import run_workers
from grove.runtime.stage_run import StageRun
from grove.settings import Settings
from grove.settings.models import TrainingSettings
from grove.stages.handoffs import WeightsReport, read_plan, read_weights
from grove.stages.model_inputs import PassInputs, day_before, day_item_table, prepare_inputs
from grove.training.job_spec import TrainingSpec

WorkerFunction = Callable[[dict[str, Any]], None]

INPUTS = "inputs"
"""Folder below a run's staging folder of what its workers read."""


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

    @cached_property
    def metadata(self) -> ModelMetadata:
        """Content of model.json."""
        return read_metadata(self.folder)

    @cached_property
    def report(self) -> WeightsReport:
        """The part that later stages read."""
        metadata = self.metadata
        return WeightsReport(
            folder=self.folder,
            model_version=metadata.model_version,
            learned_through=metadata.learned_through,
            curve=tuple(metadata.curve) if self.trained else (),
            trained=self.trained,
        )

    def loss_checks(self) -> list[CheckResult]:
        """The checks of the losses, if this pass trained."""
        curve = self.metadata.curve
        return [finite_losses(curve), something_learned(curve)] if self.trained else []


def training_options(section: TrainingSettings, training_pass: str) -> dict[str, Any]:
    """Options of a training: the section's values; an update has epochs and a rate of its own."""
    options = section.model_dump()
    if training_pass == "candidate":
        return options
    return options | {
        "epochs": section.update_epochs,
        "learning_rate": section.update_learning_rate,
    }


def pass_weights(
    run: StageRun, system: str, training_pass: str, train: WorkerFunction, options: dict[str, Any]
) -> PassWeights:
    """Reuse or train the weights of a pass, and report them.

    It holds the run because it opens the session and the attempt, both only where it trains.

    Args:
        run: of the pass.
        system: name of the system, and of its folder in a release.
        training_pass: `candidate` or `update`.
        train: function each worker runs.
        options: of the training.
    """
    make = _updated_weights if training_pass == "update" else _candidate_weights
    weights = make(run, system, train, options)
    run.report.note_all(weights.report.as_notes())
    run.report.version("weights", weights.report.model_version)
    return weights


def _candidate_weights(
    run: StageRun, system: str, train: WorkerFunction, options: dict[str, Any]
) -> PassWeights:
    """Weights that were not trained on the day: the previous release's, or new ones.

    On an ordinary day no session is opened, no history is read and nothing is trained. On a
    retrain day the model learns from scratch from the histories cut before the day.
    """
    plan = read_plan(run.layout, run.day)
    if plan.kind == "ordinary":
        folder = Path(run.layout.releases(), str(plan.previous_release), "models", system)
        run.report.artifact = str(folder)
        items = day_item_table(run.layout, run.day)
        run.report.rows(in_=len(items))
        return PassWeights(folder=folder, item_table=items, before=None, trained=False)
    inputs = prepare_inputs(run.layout, run.day, cut="before", folder=run.staging / INPUTS)
    spec = _spec(run.settings, inputs, options, through=day_before(run.day))
    folder = _train(run, train, spec, inputs)
    return PassWeights(folder=folder, item_table=inputs.item_table, before=None, trained=True)


def _updated_weights(
    run: StageRun, system: str, train: WorkerFunction, options: dict[str, Any]
) -> PassWeights:
    """The candidate's weights after a short pass over later events, those of the day included.

    Held-out users are excluded from it; see `grove.stages.update_gate`.
    """
    before = read_weights(run.layout, run.day, system).folder
    inputs = prepare_inputs(
        run.layout, run.day, cut="through", folder=run.staging / INPUTS, warm_start=before
    )
    metadata = read_metadata(before)
    spec = replace(
        _spec(run.settings, inputs, options, through=run.day),
        warm_start=str(before),
        learned_through=metadata.learned_through,
        holdout_share=run.settings.evaluation.holdout_share,
        max_events=metadata.max_events,
    )
    folder = _train(run, train, spec, inputs)
    return PassWeights(folder=folder, item_table=inputs.item_table, before=before, trained=True)


def _spec(
    settings: Settings, inputs: PassInputs, options: dict[str, Any], *, through: date
) -> TrainingSpec:
    return TrainingSpec(
        files=list(inputs.files),
        inputs=str(inputs.folder),
        output="",
        through=f"{through:%Y-%m-%d}",
        checkpoint=str(inputs.folder.parent / "checkpoint"),
        learn_repeats=settings.source.keep_seen_items,
        max_events=settings.histories.max_events,
        seed=settings.distributed.seed,
        use_gpu=settings.distributed.use_gpu,
        options=options,
        code_version=code_version(),
    )


def _train(run: StageRun, train: WorkerFunction, spec: TrainingSpec, inputs: PassInputs) -> Path:
    run.report.rows(in_=inputs.history_count)
    attempt = replace(spec, output=str(run.new_attempt()))
    run_workers(train, attempt.as_json(), run.settings, run.spark())
    return run.seal_attempt()
