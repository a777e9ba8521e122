"""An index as a folder: the FAISS file, the ids of its keys, and a description."""

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

INDEX = "index.faiss"
KEYS = "keys.parquet"
DESCRIPTION = "index.json"


def save_index(
    folder: str | Path,
    index: faiss.Index,
    item_ids: Sequence[str] | np.ndarray,
    keys: np.ndarray,
    description: Mapping[str, Any],
) -> None:
    """Write an index into a folder, which is made when absent.

    Args:
        folder: target.
        index: from `build_index`.
        item_ids: N ids.
        keys: [N] int64, the key of each id.
        description: in JSON types: factory, recall, model version and so on.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    faiss.write_index(index, str(target / INDEX))
    pq.write_table(
        pa.table({"item_id": pa.array(item_ids, pa.string()), "item_key": pa.array(keys)}),
        target / KEYS,
    )
    text = json.dumps(description, indent=2, sort_keys=True)
    (target / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def load_index(folder: str | Path) -> tuple[faiss.Index, pa.Table]:
    """Read an index and its keys.

    Returns:
        The index, and a table of item_id and item_key.

    Raises:
        DataError: a file is missing, or index and keys differ in number.
    """
    source = Path(folder)
    missing = [name for name in (INDEX, KEYS) if not (source / name).is_file()]
    if missing:
        raise _broken(source, f"{INDEX} and {KEYS}", f"no {', '.join(missing)}")
    index = faiss.read_index(str(source / INDEX))
    keys = pq.read_table(source / KEYS)
    if index.ntotal != keys.num_rows:
        raise _broken(source, f"{index.ntotal} keys, as the index has", f"{keys.num_rows} keys")
    return index, keys


def _broken(folder: Path, expected: str, found: str) -> DataError:
    return DataError(
        "the index is incomplete",
        where=str(folder),
        expected=expected,
        found=found,
        next_step="run build_index again, or read another release",
    )
