"""An index as a folder: the FAISS file, the keys of its items, and a description.

`keys.parquet` has one row per item: item_id, item_key, and group_key, under which the FAISS file
holds the item's vector. Folders of earlier code have no group_key: every item has its own vector.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from grove.errors import DataError
from grove.index.build import ItemIndex
from grove.index.groups import group_items

INDEX = "index.faiss"
KEYS = "keys.parquet"
DESCRIPTION = "index.json"


def save_index(
    folder: str | Path,
    index: ItemIndex,
    item_ids: Sequence[str] | np.ndarray,
    keys: np.ndarray,
    description: Mapping[str, Any],
) -> None:
    """Write an index into a folder, which is made when absent.

    Args:
        folder: target.
        index: from `build_index`.
        item_ids: N ids.
        keys: [N] int64, the key of each id, in the order given to `build_index`.
        description: in JSON types: factory, recall, model version and so on.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    faiss.write_index(index.vectors, str(target / INDEX))
    columns = {
        "item_id": pa.array(item_ids, pa.string()),
        "item_key": pa.array(keys, pa.int64()),
        "group_key": pa.array(index.groups.group_keys(keys), pa.int64()),
    }
    pq.write_table(pa.table(columns), target / KEYS)
    text = json.dumps(description, indent=2, sort_keys=True)
    (target / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def load_index(folder: str | Path) -> tuple[ItemIndex, pa.Table]:
    """Read an index and its keys.

    Returns:
        The index, and a table of item_id, item_key and group_key.

    Raises:
        DataError: a file is missing, or index and keys hold other vectors.
    """
    source = Path(folder)
    missing = [name for name in (INDEX, KEYS) if not (source / name).is_file()]
    if missing:
        raise _broken(source, f"{INDEX} and {KEYS}", f"no {', '.join(missing)}")
    vectors = faiss.read_index(str(source / INDEX))
    keys = pq.read_table(source / KEYS)
    if "group_key" not in keys.column_names:
        keys = keys.append_column("group_key", keys["item_key"])
    _require_same_keys(source, vectors, keys["group_key"].to_numpy())
    groups = group_items(keys["item_key"].to_numpy(), keys["group_key"].to_numpy())
    return ItemIndex(vectors=vectors, groups=groups), keys


def _require_same_keys(folder: Path, vectors: faiss.Index, group_keys: np.ndarray) -> None:
    held = np.sort(faiss.vector_to_array(vectors.id_map))  # type: ignore[attr-defined]
    named = np.unique(group_keys)
    if not np.array_equal(held, named):
        unknown = len(np.setdiff1d(held, named))
        expected = f"{len(held)} keys, as the index has"
        raise _broken(folder, expected, f"{len(named)} keys, {unknown} of the index are missing")


def _broken(folder: Path, expected: str, found: str) -> DataError:
    return DataError(
        "the index is incomplete",
        where=str(folder),
        expected=expected,
        found=found,
        next_step="run build_index again, or read another release",
    )
