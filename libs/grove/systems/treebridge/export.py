"""Export of a trained TreeBridge as programs that need torch and nothing of this repository.

How a server uses them, as `grove.systems.treebridge.search` does:

- **Rows.** In every table row 0 is padding and row 1 unknown; the vocabulary's first name is row
  2. `items` takes an item's row, the rows of its attributes (`grove.features.items.item_attributes`
  names them) and the vector of its text by `encoder`; once a day, for all items.
- **Users.** `users` takes the newest `max_events` events, oldest first: in `history` rows of kind,
  region, device, weather and promotion, `times` in seconds since 1970, UTC, and as `recency` the
  bucket, 1 + floor(log2(seconds + 1)) and at most 25, of the seconds to the next event or, of the
  last one, to the midnight that ends the release's day, never less than 0; in `item_vectors` the
  output of `items` for each event's item, zeros for an item that is not in the catalogue. A user
  without events has one event of zeros, and length 0.
- **Trees.** Per tree `begin` once, whose `keywords` are the user's search text embedded by
  `encoder`, or zeros; then `extend_<level>` level by level. `scores` are those of the next code: a
  softmax over the codes that lead to a child, no others. The `beam` likeliest paths are kept, none
  without an item that the user may get, and more until a list's length of such items is below
  them; see `beam.py`. After the last code `scores` is a vector, whose dot products with the
  vectors of the leaf's items go through a softmax over the occupied slots; where `leaf_step` is
  `slot`, it is the slots' scores themselves. An item's log probability is the sum along its path;
  items that a user may not get are removed only then. Codes are those of the release, of the
  `generations` named.
- **Lists.** Without a keyword, `weighs_items` adds state · item vector to every log probability,
  and an item that is not in `trained_items.parquet` gets `new_item_bonus` more; with a
  keyword neither applies. Then `fusion` makes one list of both trees; see
  `grove.systems.treebridge.fusion`.

Shapes: B batch, T events, P paths, P' paths chosen from them, M items, A attributes, L levels,
K_l codes of level l, τ leaf capacity, S tokens so far, D width, E text width, H heads.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from grove.errors import DataError
from grove.features.model_folder import TRAINED_ITEMS_FILE, SavedModel, read_model
from grove.features.vocabulary import save_vocabulary
from grove.inference.load import build_network
from grove.systems.treebridge.decoder import TOKENS_BEFORE_CODES, CodeDecoder
from grove.systems.treebridge.exported import MANIFEST_FILE, PROGRAM_SUFFIX
from grove.systems.treebridge.fusion import Fusion
from grove.systems.treebridge.item_scores import weighs_items
from grove.systems.treebridge.network import TreeBridge
from grove.systems.treebridge.programs import (
    HISTORY_FIELDS,
    BeginProgram,
    ExtendProgram,
    ItemProgram,
    UserProgram,
)

INTEGER, FLOAT = torch.int64, torch.float32
Tensors = Mapping[str, tuple[torch.dtype, tuple[int | str, ...]]]
"""Type and shape by name; a word among the sizes is a size that may differ between calls."""
_FIRST_EXAMPLE = 3
"""First size to trace with: torch takes sizes below 2 for constants, and 2 itself for a bound."""


@dataclass(frozen=True, kw_only=True)
class ServedBy:
    """Options with which a release ranks by the generator; part of the manifest."""

    release_id: str
    encoder: str
    """Fingerprint of the encoder of texts and keywords."""
    beam: int
    """Paths kept per level and tree."""
    fusion: Fusion
    """Fusion of the trees' candidates into one list."""
    new_item_bonus: float
    """Log-score boost of cold-start items, where there is no keyword."""


@dataclass(frozen=True, kw_only=True)
class _Signature:
    """A module with its inputs and outputs, in the order of its arguments."""

    module: nn.Module
    inputs: Tensors
    outputs: Tensors


def export_treebridge(folder: str | Path, target: str | Path, *, served_by: ServedBy) -> None:
    """Write a trained generator as a folder of programs; it appears whole or not at all.

    The folder holds one `<name>.pt2` per program, the vocabulary that maps names to rows, the items
    with training interactions, and `manifest.json`: level sizes, widths, how lists are ranked, and
    every program's inputs and outputs. It names the torch version that wrote it: torch does not
    promise to read the programs of another version.

    Source: TreeBridge, the split of its deployment: only the generator runs at request time.

    Args:
        folder: as `train_treebridge_worker` wrote it.
        target: folder to create, inside an existing one.
        served_by: the release that serves it.

    Raises:
        DataError: the target exists already.
    """
    target = Path(target)
    if target.exists():
        raise DataError(
            "an export is never overwritten",
            where=str(target),
            expected="no such folder yet",
            found="a file or folder",
            next_step="name another folder, or remove this one",
        )
    saved = read_model(Path(folder))
    signatures = _signatures(build_network(TreeBridge, saved, folder), saved.arguments)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as beside:
        staged = Path(beside, target.name)
        staged.mkdir()
        save_vocabulary(staged, saved.vocabulary)
        pq.write_table(pa.table({"item_id": saved.trained_items}), staged / TRAINED_ITEMS_FILE)
        for name, signature in signatures.items():
            torch.export.save(_trace(signature), staged / f"{name}{PROGRAM_SUFFIX}")
        manifest = json.dumps(_manifest(saved, signatures, served_by), indent=1)
        (staged / MANIFEST_FILE).write_text(manifest + "\n", encoding="utf-8")
        staged.rename(target)


def _signatures(model: TreeBridge, arguments: Mapping[str, Any]) -> dict[str, _Signature]:
    """Every program of a generator by name."""
    width, text_width = int(arguments["encoder"]["width"]), int(arguments["text_width"])
    users = _Signature(
        module=UserProgram(model.users),
        inputs={
            "history": (INTEGER, ("batch", "events", len(HISTORY_FIELDS))),
            "item_vectors": (FLOAT, ("batch", "events", width)),
            "lengths": (INTEGER, ("batch",)),
        },
        outputs={"states": (FLOAT, ("batch", width))},
    )
    items = _Signature(
        module=ItemProgram(model.items),
        inputs={
            "ids": (INTEGER, ("items",)),
            "attributes": (INTEGER, ("items", "attributes")),
            "text": (FLOAT, ("items", text_width)),
        },
        outputs={"item_vectors": (FLOAT, ("items", width))},
    )
    signatures = {"users": users, "items": items}
    for tree, level_sizes in sorted(arguments["trees"].items()):
        decoder = model.decoder(tree)
        signatures[f"{tree}.begin"] = _begin(decoder, level_sizes[0])
        for level, scores in enumerate([*level_sizes[1:], decoder.leaf.out_features]):
            signatures[f"{tree}.extend_{level}"] = _extend(decoder, level, scores)
    return signatures


def _begin(decoder: CodeDecoder, scores: int) -> _Signature:
    return _Signature(
        module=BeginProgram(decoder),
        inputs={
            "states": (FLOAT, ("batch", decoder.keyword.out_features)),
            "keywords": (FLOAT, ("batch", decoder.keyword.in_features)),
        },
        outputs={
            "scores": (FLOAT, ("batch", scores)),
            **_state(decoder, "batch", TOKENS_BEFORE_CODES),
        },
    )


def _extend(decoder: CodeDecoder, level: int, scores: int) -> _Signature:
    tokens = TOKENS_BEFORE_CODES + level
    return _Signature(
        module=ExtendProgram(decoder, level),
        inputs={
            **_state(decoder, "paths", tokens),
            "paths": (INTEGER, ("chosen",)),
            "codes": (INTEGER, ("chosen",)),
        },
        outputs={
            "scores": (FLOAT, ("chosen", scores)),
            **_state(decoder, "chosen", tokens + 1),
        },
    )


def _state(decoder: CodeDecoder, paths: str, tokens: int) -> Tensors:
    """State of a decoder's paths: keys and values [P, H, S, D/H], prefixes [P]."""
    heads = decoder.attention.heads
    shape = (paths, heads, tokens, decoder.keyword.out_features // heads)
    return {
        "keys": (FLOAT, shape),
        "values": (FLOAT, shape),
        "prefixes": (INTEGER, (paths,)),
    }


def _trace(signature: _Signature) -> ExportedProgram:
    """Trace a module; every word in its shapes becomes a dynamic size."""
    shapes = [shape for _, shape in signature.inputs.values()]
    words = sorted({size for shape in shapes for size in shape if isinstance(size, str)})
    sizes = {word: size for size, word in enumerate(words, start=_FIRST_EXAMPLE)}
    dims = {word: Dim(word, min=1) for word in words}
    examples = tuple(
        torch.zeros([sizes[size] if isinstance(size, str) else size for size in shape], dtype=dtype)
        for dtype, shape in signature.inputs.values()
    )
    free = tuple(
        {axis: dims[size] for axis, size in enumerate(shape) if isinstance(size, str)}
        for shape in shapes
    )
    return torch.export.export(signature.module, examples, dynamic_shapes=free)


def _manifest(
    saved: SavedModel, signatures: Mapping[str, _Signature], served_by: ServedBy
) -> dict[str, Any]:
    arguments = saved.arguments
    return {
        "model_version": saved.metadata.model_version,
        "torch": torch.__version__,
        "level_sizes": arguments["trees"],
        "capacity": arguments["capacity"],
        "leaf_step": arguments["leaf_step"],
        "weighs_items": weighs_items(saved),
        "generations": saved.metadata.generations,
        **asdict(served_by),
        "width": int(arguments["encoder"]["width"]),
        "text_width": arguments["text_width"],
        "max_events": saved.metadata.max_events,
        "history_fields": list(HISTORY_FIELDS),
        "programs": {
            name: {
                "inputs": _described(signature.inputs),
                "outputs": _described(signature.outputs),
            }
            for name, signature in signatures.items()
        },
    }


def _described(tensors: Tensors) -> list[dict[str, Any]]:
    return [
        {"name": name, "dtype": str(dtype).removeprefix("torch."), "shape": list(shape)}
        for name, (dtype, shape) in tensors.items()
    ]
