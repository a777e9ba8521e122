"""Consistency checks of a release, which run before it is published."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.datasets import TREES
from grove.errors import DataError
from grove.features.model_metadata import read_metadata
from grove.release.store import verify_release


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Result of one consistency check."""

    name: str
    passed: bool
    expected: str
    observed: str


def inspect_release(folder: str | Path) -> tuple[Finding, ...]:
    """Check a sealed folder: its files are unchanged, and its parts refer to the same entities.

    Returns:
        One finding per check; a release may be published only if all of them passed.
    """
    source = Path(folder)
    items = pq.read_table(source / "items.parquet", columns=["item_id", "item_key"])
    keys = pq.read_table(source / "index" / "keys.parquet", columns=["item_id", "item_key"])
    codes = [pq.read_table(source / f"codes_{tree}.parquet", columns=["item_id"]) for tree in TREES]
    listed = pq.read_table(source / "user_candidates.parquet", columns=["item_ids"])["item_ids"]
    recommended = [keys["item_id"], *(table["item_id"] for table in codes), pc.list_flatten(listed)]
    return (
        _checksums(source),
        _each_once("one_row_per_item", items["item_id"]),
        _all_known("every_recommended_item_has_a_row", recommended, items["item_id"]),
        _same_keys(keys, items),
        _users_match(source, "every_user_has_a_vector", "user_embeddings.parquet"),
        _users_match(source, "every_user_has_a_list", "user_candidates.parquet"),
        _same_trees(source),
    )


def _checksums(folder: Path) -> Finding:
    try:
        manifest = verify_release(folder)
    except DataError as error:
        return Finding(
            name="checksums", passed=False, expected="unchanged files", observed=error.found
        )
    count = f"{len(manifest.files)} unchanged files"
    return Finding(name="checksums", passed=True, expected=count, observed=count)


def _each_once(name: str, values: pa.ChunkedArray) -> Finding:
    repeated = len(values) - pc.count_distinct(values).as_py()
    return Finding(
        name=name,
        passed=repeated == 0,
        expected="no repeated row",
        observed=f"{repeated} repeated rows of {len(values)}",
    )


def _all_known(name: str, found: list[pa.ChunkedArray], known: pa.ChunkedArray) -> Finding:
    unknown = sum(
        pc.sum(pc.invert(pc.is_in(values, value_set=known))).as_py() or 0 for values in found
    )
    return Finding(
        name=name, passed=unknown == 0, expected="no unknown item", observed=f"{unknown} unknown"
    )


def _same_keys(index: pa.Table, items: pa.Table) -> Finding:
    rows = pc.index_in(index["item_id"], value_set=items["item_id"])
    expected = items["item_key"].take(rows)
    differs = pc.fill_null(pc.not_equal(expected, index["item_key"]), True)
    count = pc.sum(differs).as_py() or 0
    return Finding(
        name="index_keys_are_item_keys",
        passed=count == 0,
        expected="the same key for an item in the index and in items.parquet",
        observed=f"{count} of {index.num_rows} keys differ",
    )


def _same_trees(folder: Path) -> Finding:
    """A generator of another tree generation with equal sizes would silently return other items."""
    trained_on = read_metadata(folder / "models" / "treebridge").generations
    held = {tree: _read(folder / "trees" / tree / "tree.json")["generation"] for tree in TREES}
    return Finding(
        name="generator_speaks_the_codes",
        passed=trained_on == held,
        expected=f"a generator trained on the trees of the release, {held}",
        observed=f"trained on {trained_on}",
    )


def _read(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values


def _users_match(folder: Path, name: str, file: str) -> Finding:
    found, known = (
        set(pq.read_table(folder / one, columns=["user_id"])["user_id"].to_pylist())
        for one in (file, "histories.parquet")
    )
    return Finding(
        name=name,
        passed=found == known,
        expected=f"the same users in {file} and histories.parquet",
        observed=f"{len(known - found)} missing, {len(found - known)} unknown",
    )
