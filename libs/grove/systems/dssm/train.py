"""The function each TorchDistributor worker runs to train DSSM."""

from __future__ import annotations

from typing import Any

from grove.systems.dssm.network import Dssm
from grove.systems.dssm.objective import dssm_objective
from grove.training.job_spec import TrainingSpec
from grove.training.worker import (
    item_input_argument,
    learn,
    network_arguments,
    open_worker,
    seed_model,
    start_weights,
)


def train_dssm_worker(spec: dict[str, Any]) -> None:
    """Train DSSM on this rank's share, in step with the other ranks.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, dropout, epochs, batch_size,
            learning_rate, and optionally item_input.
    """
    with open_worker(TrainingSpec(**spec)) as inputs:
        options = inputs.spec.options
        arguments = network_arguments(
            inputs,
            {
                "width": options["width"],
                "positions": inputs.spec.max_events,
                "text_width": inputs.features.text.shape[1],
                "dropout": options["dropout"],
                **item_input_argument(options),
            },
        )
        seed_model(inputs.spec)
        model = Dssm(**arguments)
        start_weights(model, inputs)
        objective = dssm_objective(model, inputs)
        learn(model, inputs, objective, arguments=arguments)
