"""Training of DSSM: the function that each TorchDistributor worker runs."""

from __future__ import annotations

from typing import Any

from grove.systems.dssm.network import Dssm
from grove.systems.dssm.objective import dssm_objective
from grove.training.first_weights import item_input_argument
from grove.training.worker import Objective, train_worker
from grove.training.worker_inputs import WorkerInputs


def train_dssm_worker(spec: dict[str, Any]) -> None:
    """Train DSSM on this worker's share of the users, in step with the other workers.

    Args:
        spec: `TrainingSpec.as_json()`; options are width and dropout, optionally item_input, and
            those of `LoopOptions`, `SamplingOptions` and `DssmOptions`.
    """
    train_worker(spec, Dssm, _arguments, _objective)


def _arguments(inputs: WorkerInputs) -> dict[str, Any]:
    options = inputs.spec.options
    return {
        "width": options["width"],
        "positions": inputs.spec.max_events,
        "text_width": inputs.features.text.shape[1],
        "dropout": options["dropout"],
        **item_input_argument(options),
    }


def _objective(model: Dssm, inputs: WorkerInputs, _: dict[str, Any]) -> Objective:
    return Objective(loss_of=dssm_objective(model, inputs))
