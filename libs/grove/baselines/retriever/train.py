"""The function each TorchDistributor rank runs to train a retriever."""

from __future__ import annotations

from typing import Any

from grove.baselines.retriever.network import Retriever
from grove.baselines.retriever.objective import RetrieverObjective
from grove.nn.user_encoder import ENCODER_OPTIONS
from grove.training.job_spec import TrainingSpec
from grove.training.worker import learn, network_arguments, open_worker, seed_model, start_weights


def train_retriever_worker(spec: dict[str, Any]) -> None:
    """Train a retriever on this rank's share, in step with the other ranks.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, epochs,
            batch_size, learning_rate and adapter (see `AdaptedItem` beside it).
    """
    with open_worker(TrainingSpec(**spec)) as inputs:
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
        model = Retriever(**arguments)
        start_weights(model, inputs)
        objective = RetrieverObjective(model=model, inputs=inputs)
        learn(model, inputs, objective, arguments=arguments)
