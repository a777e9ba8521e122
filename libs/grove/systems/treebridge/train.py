"""Training of TreeBridge: the function that each TorchDistributor worker runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor

from grove.nn.user_encoder import ENCODER_OPTIONS
from grove.systems.treebridge.code_tree import read_code_tree
from grove.systems.treebridge.network import TreeBridge
from grove.systems.treebridge.objective import (
    TreeBridgeObjective,
    TreeBridgeOptions,
    TreeTensors,
    tree_tensors,
)
from grove.training.first_weights import item_input_argument
from grove.training.job_spec import ITEM_TABLE_FILE, QUERY_VECTORS_FILE
from grove.training.options import read_options
from grove.training.precision import fast_precision
from grove.training.worker import Objective, train_worker
from grove.training.worker_inputs import WorkerInputs


def codes_file(tree: str) -> str:
    """Name of the file, in the folder of a training's inputs, with the codes of a tree."""
    return f"codes_{tree}.parquet"


def train_treebridge_worker(spec: dict[str, Any]) -> None:
    """Train TreeBridge on this worker's share of the users, in step with the other workers.

    Besides the files that every model reads, the folder of inputs holds `codes_<tree>.parquet`:
    item_id, path and slot as in the dataset `codes`.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, `<tree>_weight`
            (λ by tree), leaf_step, capacity (τ), `trees` (codes per level, by tree) and
            `generations` (by tree; kept in the metadata), optionally item_input, and those of
            `LoopOptions`, `SamplingOptions` and `TreeBridgeOptions`.
    """
    train_worker(spec, TreeBridge, _arguments, _objective)


def _arguments(inputs: WorkerInputs) -> dict[str, Any]:
    options = inputs.spec.options
    return {
        "encoder": {name: options[name] for name in ENCODER_OPTIONS},
        "trees": options["trees"],
        "capacity": options["capacity"],
        "text_width": inputs.features.text.shape[1],
        "leaf_step": options["leaf_step"],
        **item_input_argument(options),
    }


def _objective(model: TreeBridge, inputs: WorkerInputs, arguments: dict[str, Any]) -> Objective:
    options, precision = inputs.spec.options, fast_precision(inputs.device)
    loss_of = TreeBridgeObjective(
        model=model,
        inputs=inputs,
        trees={name: _tree(inputs, arguments, name) for name in sorted(arguments["trees"])},
        weights={name: options[f"{name}_weight"] for name in arguments["trees"]},
        options=read_options(TreeBridgeOptions, options),
        query_vectors=_query_vectors(inputs),
        precision=precision,
    )
    return Objective(loss_of=loss_of, precision=precision)


def _tree(inputs: WorkerInputs, arguments: dict[str, Any], name: str) -> TreeTensors:
    folder = inputs.spec.input_folder
    items = pq.read_table(folder / ITEM_TABLE_FILE, columns=["item_id"])
    tree = read_code_tree(
        pq.read_table(folder / codes_file(name)),
        items["item_id"].combine_chunks(),
        capacity=arguments["capacity"],
    )
    return tree_tensors(tree, arguments["trees"][name], inputs.device)


def _query_vectors(inputs: WorkerInputs) -> Tensor:
    """Vectors of the queries, [Q+1, E]; row 0, no query, is zero."""
    width = inputs.features.text.shape[1]
    file = inputs.spec.input_folder / QUERY_VECTORS_FILE
    vectors = np.zeros((1, width), dtype=np.float32)
    if file.is_file():
        column = pq.read_table(file, columns=["vector"])["vector"].combine_chunks()
        found = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)  # [Q, E]
        vectors = np.vstack([vectors, found.astype(np.float32)])
    return torch.from_numpy(vectors).to(inputs.device)
