"""What every rank does before and after its model learns: join, read, warm-start, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import Tensor, distributed, nn

from grove.errors import SettingsError
from grove.features.history_files import read_sequences
from grove.features.ids import FIRST_KNOWN
from grove.features.items import ItemFeatures, item_features
from grove.features.model_folder import read_model, read_trained_items, save_model
from grove.features.model_metadata import ModelMetadata, read_metadata
from grove.features.sequences import HistoryEncoder, SequenceBatch, Sequences
from grove.features.vocabulary import Vocabulary, load_vocabulary
from grove.training.batches import user_batches
from grove.training.checkpoint import Checkpoint, work_fingerprint
from grove.training.collectives import sum_over_ranks, world
from grove.training.job_spec import ITEM_TABLE_FILE, QUERY_VECTORS_FILE, TrainingSpec
from grove.training.loop import ParameterGroup, TrainingPlan, train
from grove.training.precision import Precision
from grove.training.seeds import seed_torch

THREADS_PER_WORKER = 1
CPU_GROUP = "gloo"
GPU_GROUP = "cpu:gloo,cuda:nccl"
"""Gradients are summed where they are; counts and losses, which are summed on the CPU, by gloo."""


@dataclass(frozen=True, kw_only=True)
class WorkerInputs:
    """What one rank learns from."""

    spec: TrainingSpec
    """What was asked for."""
    vocabulary: Vocabulary
    """Names behind every row."""
    features: ItemFeatures
    """Of all items, on the rank's device."""
    sequences: Sequences
    """This rank's users."""
    device: str
    """Where tensors live."""

    @property
    def rows(self) -> dict[str, int]:
        """Rows of every embedding table, as the models' constructors take them."""
        return {name: self.vocabulary.rows(name) for name in self.vocabulary.tables} | {
            "positions": self.spec.max_events
        }

    def on_device(self, batch: SequenceBatch) -> SequenceBatch:
        """Move a batch to where the model is."""
        return batch if self.device == "cpu" else batch.to(self.device)

    def positives(self, *, fresh_only: bool) -> Tensor:
        """Positives per item over all ranks' users, [N] float; held-out users never count."""
        rows = self.sequences.item_rows
        rows = rows[self.sequences.fresh] if fresh_only else rows
        counts = np.bincount(rows, minlength=self.features.count + 1)[1:]  # [N]
        return sum_over_ranks(torch.from_numpy(counts).double()).float().to(self.device)


@contextmanager
def open_worker(spec: TrainingSpec) -> Iterator[WorkerInputs]:
    """Join the other ranks, if there are any, read this rank's share, and leave at the end."""
    launched = distributed.is_torchelastic_launched()
    if launched:
        distributed.init_process_group(GPU_GROUP if spec.use_gpu else CPU_GROUP)
    torch.set_num_threads(THREADS_PER_WORKER)
    try:
        yield read_worker_inputs(spec)
    finally:
        if launched:
            distributed.destroy_process_group()


def read_worker_inputs(spec: TrainingSpec) -> WorkerInputs:
    """Read item table, vocabulary and this rank's users."""
    rank, ranks = world()
    vocabulary = load_vocabulary(spec.input_folder)
    item_table = pq.read_table(spec.input_folder / ITEM_TABLE_FILE)
    device = accelerator(rank) if spec.use_gpu else "cpu"
    encoder = HistoryEncoder(
        vocabulary=vocabulary,
        item_ids=item_table["item_id"].combine_chunks(),
        queries=_query_names(spec.input_folder),
        learned_through=spec.learned_day,
        max_events=spec.max_events,
    )
    sequences = read_sequences(spec.files, encoder, rank=rank, ranks=ranks, excluded=spec.excluded)
    return WorkerInputs(
        spec=spec,
        vocabulary=vocabulary,
        features=item_features(item_table, vocabulary).to(device),
        sequences=sequences if spec.learn_repeats else sequences.without_repeats(),
        device=device,
    )


def accelerator(rank: int) -> str:
    """Give this process one of the accelerators it sees, in turn.

    NCCL talks through the device that is current, which is the first one unless it is set.

    Args:
        rank: of this process.

    Returns:
        Name of the device, such as `cuda:1`.

    Raises:
        SettingsError: the process sees no accelerator.
    """
    devices = torch.cuda.device_count()
    if devices == 0:
        raise SettingsError(
            "there is no accelerator to train on",
            where=f"setting distributed.use_gpu, rank {rank}",
            expected="at least one CUDA device that torch can use",
            found=f"none; torch {torch.__version__}",
            next_step="set distributed.use_gpu to false, or run the ranks where CUDA devices are",
        )
    device = f"cuda:{rank % devices}"
    torch.cuda.set_device(device)
    return device


def start_weights(model: nn.Module, inputs: WorkerInputs) -> None:
    """Give a model its first weights: those of the warm start, or random ones equal on all ranks.

    A table that has grown since gets zero rows for what is new: an item offset of zero is the
    learned "unknown" item (DSSM) or the bare text (STARS).

    Args:
        model: built by the caller after `seed_torch`, moved to the rank's device here.
        inputs: of this rank.
    """
    if inputs.spec.warm_start is not None:
        earlier = read_model(Path(inputs.spec.warm_start)).weights
        model.load_state_dict(
            {name: _grown(earlier[name], value) for name, value in model.state_dict().items()}
        )
    model.to(inputs.device)


def item_input_argument(options: Mapping[str, Any]) -> dict[str, Any]:
    """The argument `item_input` of a network, where a training gives the option."""
    return {name: options[name] for name in ("item_input",) if name in options}


def network_arguments(inputs: WorkerInputs, fresh: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments of the network: as asked for, or those of the warm start.

    The settings may have changed since the warm start was trained; its shape cannot. Only the
    tables of names may have grown.

    Args:
        inputs: of this rank.
        fresh: arguments of a training from scratch, besides `rows`.

    Returns:
        Arguments with `rows`, as the model folder keeps them.
    """
    if inputs.spec.warm_start is None:
        return {**fresh, "rows": inputs.rows}
    earlier = read_metadata(Path(inputs.spec.warm_start)).arguments
    return {**earlier, "rows": inputs.rows | {"positions": earlier["rows"]["positions"]}}


def seed_model(spec: TrainingSpec) -> None:
    """Restart torch's generator, so that every rank draws the same first weights."""
    seed_torch(spec.seed, "weights")


def learn(
    model: nn.Module,
    inputs: WorkerInputs,
    loss_of: Callable[[SequenceBatch], tuple[Tensor, Tensor]],
    *,
    arguments: dict[str, Any],
    groups: tuple[ParameterGroup, ...] = (),
    precision: Precision = "fp32",
) -> list[float]:
    """Train a model and write it: one cycle from scratch, a constant small rate when warm.

    Args:
        model: with its first weights; see `start_weights`.
        inputs: of this rank; options `epochs`, `batch_size` and `learning_rate` are read.
        loss_of: batch → sum of losses, sum of weights; see `train`.
        arguments: the network's constructor arguments, kept in the model folder.
        groups: parameters that learn otherwise.
        precision: of the loss's largest products, which the model's folder tells.

    Returns:
        Mean loss per epoch.
    """
    spec, options = inputs.spec, inputs.spec.options
    plan = TrainingPlan(
        epochs=options["epochs"],
        peak_rate=options["learning_rate"],
        shape="constant" if spec.warm_start else "one_cycle",
        seed=spec.seed,
        groups=groups,
    )
    batches = user_batches(inputs.sequences, size=options["batch_size"], seed=spec.seed)
    curve = train(model, batches, loss_of, plan=plan, checkpoint=checkpoint_of(spec))
    write_model(model, inputs, arguments=arguments, curve=curve, precision=precision)
    return curve


def write_model(
    model: nn.Module,
    inputs: WorkerInputs,
    *,
    arguments: dict[str, Any],
    curve: list[float],
    precision: Precision,
) -> None:
    """Write the trained model and what it learnt; only rank 0 does.

    Args:
        model: after training.
        inputs: of this rank.
        arguments: the network's constructor arguments.
        curve: mean loss per epoch.
        precision: it was learnt in.
    """
    taken = trained_items(inputs)
    if world()[0] != 0:
        return
    spec = inputs.spec
    metadata = ModelMetadata(
        arguments=arguments,
        curve=curve,
        learned_through=spec.through,
        max_events=spec.max_events,
        options=spec.options,
        precision=precision,
        seed=spec.seed,
        code_version=spec.code_version,
        torch_version=torch.__version__,
        workers=world()[1],
    )
    save_model(spec.output_folder, model, inputs.vocabulary, metadata, trained_items=taken)


def trained_items(inputs: WorkerInputs) -> pa.Array:
    """Count over all ranks which items somebody had, in these events or those of the warm start.

    An item of the vocabulary need not be one of them: the update of a day makes room for every
    item of its catalogue, and teaches the others what is wanted instead. Nor is an item that was
    only had before the newest events of every history.

    Args:
        inputs: of this rank; every rank has to ask.

    Returns:
        Item ids, sorted.
    """
    ids = inputs.features.ids[1:]  # [N]
    rows = ids[(inputs.positives(fresh_only=False) > 0) & (ids >= FIRST_KNOWN)]
    taken = {inputs.vocabulary.items[row - FIRST_KNOWN] for row in rows.tolist()}
    if inputs.spec.warm_start is not None:
        taken |= set(read_trained_items(Path(inputs.spec.warm_start)).to_pylist())
    return pa.array(sorted(taken), pa.string())


def checkpoint_of(spec: TrainingSpec) -> Checkpoint | None:
    """Where this training keeps its state, and whose it is."""
    if spec.checkpoint is None:
        return None
    fingerprint = work_fingerprint(spec, ranks=world()[1])
    return Checkpoint(folder=Path(spec.checkpoint), fingerprint=fingerprint)


def _query_names(folder: Path) -> pa.Array | None:
    file = folder / QUERY_VECTORS_FILE
    if not file.is_file():
        return None
    return pq.read_table(file, columns=["query"])["query"].combine_chunks()


def _grown(earlier: Tensor, current: Tensor) -> Tensor:
    """The earlier value, with zero rows below it where the table has grown."""
    if earlier.shape == current.shape:
        return earlier
    grown = torch.zeros_like(current)
    grown[: len(earlier)] = earlier
    return grown
