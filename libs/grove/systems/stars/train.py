"""Training of STARS: the function that each TorchDistributor worker runs."""

from __future__ import annotations

from typing import Any

from grove.systems.stars.network import Stars
from grove.systems.stars.objective import StarsOptions, stars_objective
from grove.training.loop import ParameterGroup
from grove.training.options import LoopOptions, read_options
from grove.training.worker import Objective, train_worker
from grove.training.worker_inputs import WorkerInputs

STARS_OFFSETS = "items.offsets."


def train_stars_worker(spec: dict[str, Any]) -> None:
    """Train STARS on this worker's share of the users, in step with the other workers.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, and those of
            `LoopOptions`, `SamplingOptions` and `StarsOptions`.
    """
    train_worker(spec, Stars, _arguments, _objective)


def _arguments(inputs: WorkerInputs) -> dict[str, Any]:
    options = inputs.spec.options
    return {
        "width": options["width"],
        "layers": options["layers"],
        "heads": options["heads"],
        "text_width": inputs.features.text.shape[1],
        "dropout": options["dropout"],
    }


def _objective(model: Stars, inputs: WorkerInputs, _: dict[str, Any]) -> Objective:
    return Objective(loss_of=stars_objective(model, inputs), groups=(_offsets(inputs),))


def _offsets(inputs: WorkerInputs) -> ParameterGroup:
    """Δ: slower than the rest, and frozen for the first epochs of a training from scratch."""
    options = read_options(StarsOptions, inputs.spec.options)
    epochs = read_options(LoopOptions, inputs.spec.options).epochs
    frozen = 0.0 if inputs.spec.warm_start else options.frozen_offset_share
    return ParameterGroup(
        prefix=STARS_OFFSETS,
        rate_factor=options.offset_rate_factor,
        first_epoch=int(frozen * epochs),
    )
