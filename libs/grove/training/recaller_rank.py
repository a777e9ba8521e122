"""The function each TorchDistributor rank runs to train a recaller."""

from __future__ import annotations

from typing import Any

from grove.models.recaller import Recaller
from grove.training.rank import learn, network_arguments, open_rank, seed_model, start_weights
from grove.training.recaller_objective import RecallerObjective
from grove.training.spec import TrainingSpec
from grove.training.treebridge_rank import ENCODER_OPTIONS


def train_recaller_rank(spec: dict[str, Any]) -> None:
    """Train a recaller on this rank's share, in step with the other ranks.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, epochs,
            batch_size, learning_rate and adapter (see `grove.models.recaller.AdaptedItem`).
    """
    with open_rank(TrainingSpec(**spec)) as inputs:
        options = inputs.spec.options
        arguments = network_arguments(
            inputs,
            {
                "encoder": {name: options[name] for name in ENCODER_OPTIONS},
                "adapter": options["adapter"],
                "text_width": inputs.features.text.shape[1],
            },
        )
        seed_model(inputs.spec)
        model = Recaller(**arguments)
        start_weights(model, inputs)
        objective = RecallerObjective(model=model, inputs=inputs)
        learn(model, inputs, objective, arguments=arguments)
