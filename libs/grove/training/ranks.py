"""The function each TorchDistributor rank runs, for DSSM and for STARS."""

from __future__ import annotations

from typing import Any

from grove.models.dssm import Dssm
from grove.models.stars import Stars
from grove.training.loop import ParameterGroup
from grove.training.objectives import dssm_objective, stars_objective
from grove.training.rank import (
    RankInputs,
    learn,
    network_arguments,
    open_rank,
    seed_model,
    start_weights,
)
from grove.training.spec import TrainingSpec

OFFSET_RATE_FACTOR = 0.2
"""Learning rate of STARS' item offsets Δ, as a share of the others'."""
STARS_OFFSETS = "items.offsets."


def train_dssm_rank(spec: dict[str, Any]) -> None:
    """Train DSSM on this rank's share, in step with the other ranks.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, dropout, epochs, batch_size,
            learning_rate.
    """
    with open_rank(TrainingSpec(**spec)) as inputs:
        options = inputs.spec.options
        arguments = network_arguments(
            inputs,
            {
                "width": options["width"],
                "positions": inputs.spec.max_events,
                "text_width": inputs.features.text.shape[1],
                "dropout": options["dropout"],
            },
        )
        seed_model(inputs.spec)
        model = Dssm(**arguments)
        start_weights(model, inputs)
        objective = dssm_objective(model, inputs)
        learn(model, inputs, objective, arguments=arguments)


def train_stars_rank(spec: dict[str, Any]) -> None:
    """Train STARS on this rank's share, in step with the other ranks.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, epochs,
            batch_size, learning_rate, frozen_offset_share, generation_weight, popularity_gamma.
    """
    with open_rank(TrainingSpec(**spec)) as inputs:
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


def _offsets(inputs: RankInputs) -> ParameterGroup:
    """Δ: slower than the rest, and frozen for the first epochs of a training from scratch."""
    frozen = 0.0 if inputs.spec.warm_start else inputs.spec.options["frozen_offset_share"]
    return ParameterGroup(
        prefix=STARS_OFFSETS,
        rate_factor=OFFSET_RATE_FACTOR,
        first_epoch=int(frozen * inputs.spec.options["epochs"]),
    )
