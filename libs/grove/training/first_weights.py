"""The network of a training before its first step: its arguments and its first weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from grove.features.model_folder import read_model
from grove.features.model_metadata import read_metadata
from grove.training.worker_inputs import WorkerInputs


def network_arguments(inputs: WorkerInputs, fresh: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments of the network: the given ones, or those of the warm start.

    The settings may have changed since the warm start was trained; its shape cannot. Only the
    embedding tables may have grown.

    Args:
        inputs: of this worker.
        fresh: arguments of a training from scratch, besides `rows`.

    Returns:
        Arguments with `rows`, as the model folder keeps them.
    """
    if inputs.spec.warm_start is None:
        return {**fresh, "rows": inputs.rows}
    earlier = read_metadata(Path(inputs.spec.warm_start)).arguments
    return {**earlier, "rows": inputs.rows | {"positions": earlier["rows"]["positions"]}}


def item_input_argument(options: Mapping[str, Any]) -> dict[str, Any]:
    """The argument `item_input` of a network, where a training gives the option."""
    return {name: options[name] for name in ("item_input",) if name in options}


def start_weights(model: nn.Module, inputs: WorkerInputs) -> None:
    """Load the weights of the warm start; without one, keep the random ones, equal on all workers.

    A table that has grown since gets zero rows for what is new: an item offset of zero is the
    learned "unknown" item (DSSM) or the bare text (STARS).

    Args:
        model: built by the caller after `seed_torch`, moved to the worker's device here.
        inputs: of this worker.
    """
    if inputs.spec.warm_start is not None:
        earlier = read_model(Path(inputs.spec.warm_start)).weights
        model.load_state_dict(
            {name: _grown(earlier[name], value) for name, value in model.state_dict().items()}
        )
    model.to(inputs.device)


def _grown(earlier: Tensor, current: Tensor) -> Tensor:
    """The earlier value, with zero rows below it where the table has grown."""
    if earlier.shape == current.shape:
        return earlier
    grown = torch.zeros_like(current)
    grown[: len(earlier)] = earlier
    return grown
