"""The result of a training: the model folder that the first worker writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from torch import nn

from grove.features.ids import FIRST_KNOWN
from grove.features.model_folder import read_trained_items, save_model
from grove.features.model_metadata import ModelMetadata
from grove.training.collectives import world
from grove.training.precision import Precision
from grove.training.worker_inputs import WorkerInputs


def write_model(
    model: nn.Module,
    inputs: WorkerInputs,
    *,
    arguments: dict[str, Any],
    curve: list[float],
    precision: Precision,
) -> None:
    """Write the trained model and its metadata; only the first worker does.

    Args:
        model: after training.
        inputs: of this worker.
        arguments: the network's constructor arguments.
        curve: mean loss per epoch.
        precision: of the training's largest matmuls.
    """
    trained = trained_items(inputs)
    rank, workers = world()
    if rank != 0:
        return
    spec = inputs.spec
    first, last = landing_days(spec.files)
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
        workers=workers,
        first_landing_day=first,
        last_landing_day=last,
    )
    save_model(spec.output_folder, model, inputs.vocabulary, metadata, trained_items=trained)


def trained_items(inputs: WorkerInputs) -> pa.Array:
    """Item ids with training interactions, in this pass or before its warm start.

    An item of the vocabulary need not be among them: the update of a day adds a row for every
    item of its catalogue, and trains some of these as negatives only. Nor does an event count
    that is older than the newest events of its history, which are all that is read.

    Args:
        inputs: of this worker; every worker has to call.

    Returns:
        Item ids, sorted.
    """
    ids = inputs.features.ids[1:]  # [N]
    rows = ids[(inputs.positives(fresh_only=False) > 0) & (ids >= FIRST_KNOWN)]
    trained = {inputs.vocabulary.items[row - FIRST_KNOWN] for row in rows.tolist()}
    if inputs.spec.warm_start is not None:
        trained |= set(read_trained_items(Path(inputs.spec.warm_start)).to_pylist())
    return pa.array(sorted(trained), pa.string())


def landing_days(files: Sequence[str]) -> tuple[str | None, str | None]:
    """Oldest and newest landing day in files of histories, read one row group at a time.

    Args:
        files: Parquet files of one cut of `histories`.

    Returns:
        Two days as YYYY-MM-DD; none where there is no event.
    """
    days: set[date] = set()
    for file in map(pq.ParquetFile, files):
        for group in range(file.num_row_groups):
            column = file.read_row_group(group, columns=["landed_days"])["landed_days"]
            ends = pc.min_max(pc.list_flatten(column)).as_py()
            days |= {day for day in ends.values() if day is not None}
    return (f"{min(days):%Y-%m-%d}", f"{max(days):%Y-%m-%d}") if days else (None, None)
