"""A tree as a folder: arrays in safetensors, numbers in JSON, codes in Parquet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors.numpy import load_file, save_file

from grove.errors import DataError
from grove.systems.treebridge.trees.tree import Tree, leaves_of_paths

ARRAYS = "tree.safetensors"
NUMBERS = "tree.json"
CODES = "codes.parquet"


def codes_table(tree: Tree) -> pa.Table:
    """Codes of all items: item_id string, path list<int32>, slot int32."""
    paths = tree.paths
    offsets = np.arange(len(paths) + 1, dtype=np.int32) * paths.shape[1]
    return pa.table(
        {
            "item_id": pa.array(tree.item_ids, pa.string()),
            "path": pa.ListArray.from_arrays(pa.array(offsets), pa.array(paths.ravel())),
            "slot": pa.array(tree.slots, pa.int32()),
        }
    )


def save_tree(folder: str | Path, tree: Tree) -> None:
    """Write a tree into a folder, which is made when absent."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    arrays = {f"codebook_{level}": array for level, array in enumerate(tree.codebooks)}
    arrays |= {f"centroids_{level}": array for level, array in enumerate(tree.centroids)}
    save_file(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()}, target / ARRAYS
    )
    pq.write_table(codes_table(tree), target / CODES)
    numbers = {
        "level_sizes": list(tree.level_sizes),
        "leaf_capacity": tree.leaf_capacity,
        "generation": tree.generation,
        "distortion_at_build": tree.distortion_at_build,
        "built_on": tree.built_on,
    }
    (target / NUMBERS).write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def load_tree(folder: str | Path) -> Tree:
    """Read a tree that `save_tree` wrote.

    Raises:
        DataError: a file is missing, or the codes are not of this tree.
    """
    source = Path(folder)
    missing = [name for name in (NUMBERS, ARRAYS, CODES) if not (source / name).is_file()]
    if missing:
        raise DataError(
            "the tree is incomplete",
            where=str(source),
            expected=f"{NUMBERS}, {ARRAYS} and {CODES}",
            found=f"no {', '.join(missing)}",
            next_step="rebuild the trees, or read another release",
        )
    numbers = json.loads((source / NUMBERS).read_text(encoding="utf-8"))
    arrays = load_file(source / ARRAYS)
    codes = pq.read_table(source / CODES)
    level_sizes = tuple(numbers["level_sizes"])
    levels = range(len(level_sizes))
    paths = codes["path"].combine_chunks().values.to_numpy().reshape(codes.num_rows, -1)  # [N, L]
    return Tree(
        level_sizes=level_sizes,
        leaf_capacity=numbers["leaf_capacity"],
        codebooks=tuple(arrays[f"codebook_{level}"] for level in levels),
        centroids=tuple(arrays[f"centroids_{level}"] for level in levels),
        item_ids=codes["item_id"].to_numpy(zero_copy_only=False),
        leaves=leaves_of_paths(paths, level_sizes),
        slots=codes["slot"].to_numpy().astype(np.int32),
        generation=numbers["generation"],
        distortion_at_build=numbers["distortion_at_build"],
        built_on=numbers["built_on"],
    )
