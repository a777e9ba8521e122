"""Steps of a training worker, the same for every system: join, read, build, train, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from grove.features.sequences import SequenceBatch
from grove.training.batches import user_batches
from grove.training.checkpoint import Checkpoint, work_fingerprint
from grove.training.collectives import world
from grove.training.first_weights import network_arguments, start_weights
from grove.training.job_spec import TrainingSpec
from grove.training.loop import ParameterGroup, TrainingPlan, train
from grove.training.options import LoopOptions, read_options
from grove.training.precision import Precision
from grove.training.process_group import joined_group
from grove.training.seeds import seed_torch
from grove.training.trained_model import write_model
from grove.training.worker_inputs import WorkerInputs, read_worker_inputs

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Loss that a worker minimises, and the parameter groups of its optimiser."""

    loss_of: Callable[[SequenceBatch], tuple[Tensor, Tensor]]
    """Batch → sum of losses, sum of weights; see `train`."""
    groups: tuple[ParameterGroup, ...] = ()
    """Parameters with a learning rate or a start of their own."""
    precision: Precision = "fp32"
    """Precision of the loss's largest matmuls, which the model's metadata records."""


def train_worker(
    spec: dict[str, Any],
    network: Callable[..., Network],
    arguments: Callable[[WorkerInputs], dict[str, Any]],
    objective: Callable[[Network, WorkerInputs, dict[str, Any]], Objective],
) -> None:
    """Train a network on this worker's share of the users, in step with the other workers.

    Args:
        spec: `TrainingSpec.as_json()`.
        network: class of the network.
        arguments: the inputs → constructor arguments of a training from scratch, besides `rows`.
        objective: the network, the inputs and the network's arguments → its objective.
    """
    with open_worker(TrainingSpec(**spec)) as inputs:
        built_with = network_arguments(inputs, arguments(inputs))
        # One seed for all workers: they must start from equal weights.
        seed_torch(inputs.spec.seed, "weights")
        model = network(**built_with)
        start_weights(model, inputs)
        learn(model, inputs, objective(model, inputs, built_with), arguments=built_with)


@contextmanager
def open_worker(spec: TrainingSpec) -> Iterator[WorkerInputs]:
    """Join the other workers, if there are any, read this worker's share, and leave at the end."""
    with joined_group(spec):
        yield read_worker_inputs(spec)


def learn(
    model: nn.Module, inputs: WorkerInputs, objective: Objective, *, arguments: dict[str, Any]
) -> list[float]:
    """Train a model and write it: one cycle from scratch, a constant small rate when warm.

    Args:
        model: with its first weights; see `start_weights`.
        inputs: of this worker; the options of `LoopOptions` are read.
        objective: to minimise.
        arguments: the network's constructor arguments, kept in the model folder.

    Returns:
        Mean loss per epoch.
    """
    spec = inputs.spec
    options = read_options(LoopOptions, spec.options)
    batches = user_batches(inputs.sequences, size=options.batch_size, seed=spec.seed)
    curve = train(
        model,
        batches,
        objective.loss_of,
        plan=_plan(spec, options, objective.groups),
        checkpoint=checkpoint_of(spec),
    )
    write_model(model, inputs, arguments=arguments, curve=curve, precision=objective.precision)
    return curve


def _plan(
    spec: TrainingSpec, options: LoopOptions, groups: tuple[ParameterGroup, ...]
) -> TrainingPlan:
    return TrainingPlan(
        epochs=options.epochs,
        peak_rate=options.learning_rate,
        shape="constant" if spec.warm_start else "one_cycle",
        seed=spec.seed,
        weight_decay=options.weight_decay,
        clip_norm=options.clip_norm,
        warm_up_share=options.warm_up_share,
        adam_betas=(options.adam_beta1, options.adam_beta2),
        groups=groups,
    )


def checkpoint_of(spec: TrainingSpec) -> Checkpoint | None:
    """Folder of this training's state, and the fingerprint of its work."""
    if spec.checkpoint is None:
        return None
    fingerprint = work_fingerprint(spec, workers=world()[1])
    return Checkpoint(folder=Path(spec.checkpoint), fingerprint=fingerprint)
