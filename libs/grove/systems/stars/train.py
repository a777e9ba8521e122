"""The function each TorchDistributor worker runs to train STARS."""

from __future__ import annotations

from typing import Any

from grove.systems.stars.network import Stars
from grove.systems.stars.objective import stars_objective
from grove.training.job_spec import TrainingSpec
from grove.training.loop import ParameterGroup
from grove.training.worker import (
    WorkerInputs,
    learn,
    network_arguments,
    open_worker,
    seed_model,
    start_weights,
)

OFFSET_RATE_FACTOR = 0.2
"""Learning rate of the item offsets Δ, as a share of the others'."""
STARS_OFFSETS = "items.offsets."


def train_stars_worker(spec: dict[str, Any]) -> None:
    """Train STARS on this rank's share, in step with the other ranks.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, epochs,
            batch_size, learning_rate, frozen_offset_share, generation_weight, popularity_gamma.
    """
    with open_worker(TrainingSpec(**spec)) as inputs:
        options = inputs.spec.options
        arguments = network_arguments(
            inputs,
            {
                "width": options["width"],
                "layers": options["layers"],
                "heads": options["heads"],
                "text_width": inputs.features.text.shape[1],
                "dropout": options["dropout"],
            },
        )
        seed_model(inputs.spec)
        model = Stars(**arguments)
        start_weights(model, inputs)
        objective = stars_objective(
            model,
            inputs,
            gamma=options["popularity_gamma"],
            generation_weight=options["generation_weight"],
        )
        learn(model, inputs, objective, arguments=arguments, groups=(_offsets(inputs),))


def _offsets(inputs: WorkerInputs) -> ParameterGroup:
    """Δ: slower than the rest, and frozen for the first epochs of a training from scratch."""
    frozen = 0.0 if inputs.spec.warm_start else inputs.spec.options["frozen_offset_share"]
    return ParameterGroup(
        prefix=STARS_OFFSETS,
        rate_factor=OFFSET_RATE_FACTOR,
        first_epoch=int(frozen * inputs.spec.options["epochs"]),
    )
