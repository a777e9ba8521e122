"""Codes of a day as the tree that a generator's decoder was trained on."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from grove.errors import DataError
from grove.inference.load import LoadedInputs
from grove.systems.treebridge.code_tree import CodeTree, read_code_tree
from grove.systems.treebridge.search_tree import SearchTree, search_tree


def read_trained_tree(inputs: LoadedInputs, codes: Mapping[str, pa.Table], name: str) -> SearchTree:
    """Read the codes of one of a generator's trees.

    Args:
        inputs: of the generator, loaded for N items.
        codes: item_id, path, slot by tree.
        name: of the tree.

    Returns:
        The tree over the N items.

    Raises:
        DataError: there are no such codes, or they do not fit the decoder.
    """
    arguments = inputs.saved.arguments
    sizes = list(arguments["trees"][name])
    if name not in codes:
        raise _other_tree(name, f"codes per level within {sizes}", "no such tree")
    tree = read_code_tree(codes[name], inputs.encoder.item_ids, capacity=arguments["capacity"])
    largest = [int(level.max()) for level in tree.codes]
    fits = len(largest) == len(sizes) and all(map(int.__lt__, largest, sizes))
    if not fits:
        raise _other_tree(name, f"codes per level within {sizes}", f"codes up to {largest}")
    if not _slots_fit(tree, inputs):
        slots = f"{tree.leaf_items.shape[1]} slots in a leaf"
        raise _other_tree(name, f"{arguments['capacity']} slots in a leaf", slots)
    return search_tree(tree)


def _slots_fit(tree: CodeTree, inputs: LoadedInputs) -> bool:
    """Whether a decoder of slots covers every slot; a decoder that scores items has no limit."""
    arguments = inputs.saved.arguments
    return arguments["leaf_step"] != "slot" or tree.leaf_items.shape[1] == arguments["capacity"]


def _other_tree(name: str, expected: str, found: str) -> DataError:
    return DataError(
        "the generator was not trained on these codes",
        where=f"tree {name}",
        expected=expected,
        found=found,
        next_step="use the codes of the generation named in the model's metadata, or retrain",
    )
