"""Training of a retriever: the function that each TorchDistributor worker runs."""

from __future__ import annotations

from typing import Any

from grove.baselines.retriever.network import Retriever
from grove.baselines.retriever.objective import RetrieverObjective
from grove.nn.user_encoder import ENCODER_OPTIONS
from grove.training.worker import Objective, train_worker
from grove.training.worker_inputs import WorkerInputs


def train_retriever_worker(spec: dict[str, Any]) -> None:
    """Train a retriever on this worker's share of the users, in step with the other workers.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, adapter (see
            `AdaptedItem` beside it), and those of `LoopOptions` and `SamplingOptions`.
    """
    train_worker(spec, Retriever, _arguments, _objective)


def _arguments(inputs: WorkerInputs) -> dict[str, Any]:
    options = inputs.spec.options
    return {
        "encoder": {name: options[name] for name in ENCODER_OPTIONS},
        "adapter": options["adapter"],
        "text_width": inputs.features.text.shape[1],
    }


def _objective(model: Retriever, inputs: WorkerInputs, _: dict[str, Any]) -> Objective:
    return Objective(loss_of=RetrieverObjective(model=model, inputs=inputs))
