"""The function each TorchDistributor rank runs to train TreeBridge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import Tensor

from grove.features.code_tree import read_code_tree
from grove.models.treebridge import TreeBridge
from grove.training.batches import user_batches
from grove.training.loop import TrainingPlan, train
from grove.training.rank import (
    RankInputs,
    checkpoint_of,
    open_rank,
    seed_model,
    start_weights,
    write_model,
)
from grove.training.spec import ITEM_TABLE_FILE, QUERY_VECTORS_FILE, TrainingSpec
from grove.training.treebridge_objective import TreeBridgeObjective, TreeTensors, tree_tensors


def codes_file(tree: str) -> str:
    """Name of the file, in the folder of a training's inputs, with the codes of a tree."""
    return f"codes_{tree}.parquet"


def train_treebridge_rank(spec: dict[str, Any]) -> None:
    """Train TreeBridge on this rank's share, in step with the other ranks.

    The folder of inputs holds, beside what every model reads, `codes_<tree>.parquet`: item_id,
    path and slot as in the dataset `codes`.

    Args:
        spec: `TrainingSpec.as_json()`; options are width, layers, heads, dropout, epochs,
            batch_size, learning_rate, `trees` (codes per level, by tree), `weights` (λ by tree),
            `generations` (by tree; kept beside the weights), capacity (τ), leaf_step,
            learn_repeats.
    """
    with open_rank(TrainingSpec(**spec)) as inputs:
        arguments = network_arguments(inputs)
        seed_model(inputs.spec)
        model = TreeBridge(**arguments)
        start_weights(model, inputs)
        options = inputs.spec.options
        curve = train(
            model,
            user_batches(inputs.sequences, size=options["batch_size"], seed=inputs.spec.seed),
            make_objective(model, inputs),
            plan=TrainingPlan(
                epochs=options["epochs"],
                peak_rate=options["learning_rate"],
                shape="constant" if inputs.spec.warm_start else "one_cycle",
                seed=inputs.spec.seed,
            ),
            checkpoint=checkpoint_of(inputs.spec),
        )
        write_model(model, inputs, arguments=arguments, curve=curve)


def network_arguments(inputs: RankInputs) -> dict[str, Any]:
    """Constructor arguments of the network, as they are kept beside the weights."""
    options = inputs.spec.options
    return {
        "encoder": {name: options[name] for name in ("width", "layers", "heads", "dropout")},
        "trees": options["trees"],
        "capacity": options["capacity"],
        "text_width": inputs.features.text.shape[1],
        "rows": inputs.rows,
        "leaf_step": options["leaf_step"],
    }


def make_objective(model: TreeBridge, inputs: RankInputs) -> TreeBridgeObjective:
    """Read the codes and the keywords' vectors, and build the loss."""
    options = inputs.spec.options
    folder = inputs.spec.input_folder
    return TreeBridgeObjective(
        model=model,
        inputs=inputs,
        trees={name: _tree(folder, name, inputs) for name in sorted(options["trees"])},
        weights=options["weights"],
        query_vectors=_query_vectors(folder, inputs.features.text.shape[1]).to(inputs.device),
        learn_repeats=options["learn_repeats"],
    )


def _tree(folder: Path, name: str, inputs: RankInputs) -> TreeTensors:
    options = inputs.spec.options
    items = pq.read_table(folder / ITEM_TABLE_FILE, columns=["item_id"])
    tree = read_code_tree(
        pq.read_table(folder / codes_file(name)),
        items["item_id"].combine_chunks(),
        capacity=options["capacity"],
    )
    return tree_tensors(tree, options["trees"][name], inputs.device)


def _query_vectors(folder: Path, width: int) -> Tensor:
    """Vectors of the queries, [Q+1, E]; row 0, no query, is zero."""
    file = folder / QUERY_VECTORS_FILE
    found = np.zeros((0, width), dtype=np.float32)
    if file.is_file():
        column = pq.read_table(file, columns=["vector"])["vector"].combine_chunks()
        found = column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
    none = np.zeros((1, width), dtype=np.float32)
    return torch.from_numpy(np.vstack([none, found.astype(np.float32)]))
