"""An open release: its manifest, its rows, its index and its generator."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.datasets import TREES
from grove.errors import DataError
from grove.features.name_rows import rows_of
from grove.index import ItemIndex, RowsByKey, load_index
from grove.inference.products import product_numbers
from grove.release import (
    POPULARITY_FILE,
    SEEN_FILE,
    Manifest,
    current_release,
    verify_release,
)
from grove.systems.treebridge.fusion import Fusion
from grove.systems.treebridge.search import TreeBridgeSearcher, load_searcher


@dataclass(frozen=True)
class ReleaseReader:
    """One verified release; open it once, read it for many users.

    Large parts (index, generator) are loaded at their first use.
    """

    folder: Path
    manifest: Manifest

    @cached_property
    def items(self) -> pa.Table:
        """Items as of the release's day, sorted by item_id; a row number here is an item row."""
        return pq.read_table(self.folder / "items.parquet")

    @cached_property
    def histories(self) -> pa.Table:
        """Histories of all users through the release's day.

        Day and cut define when a history ends: with the day, not with its last event.
        """
        rows = pq.read_table(self.folder / "histories.parquet")
        rows = rows.append_column("day", pa.repeat(pa.scalar(self.manifest.day), len(rows)))
        return rows.append_column("cut", pa.repeat(pa.scalar("through"), len(rows)))

    @cached_property
    def user_embeddings(self) -> pa.Table:
        """h_gen and h_next of every user."""
        return pq.read_table(self.folder / "user_embeddings.parquet")

    @cached_property
    def index(self) -> ItemIndex:
        """ANN index over the candidate vectors of the items."""
        return load_index(self.folder / "index")[0]

    @cached_property
    def searcher(self) -> TreeBridgeSearcher:
        """The generator with the trees of this release."""
        codes = {tree: pq.read_table(self.folder / f"codes_{tree}.parquet") for tree in TREES}
        return load_searcher(
            self.generator_folder,
            self.items,
            codes,
            beam=self.beam,
            fusion=self.fusion,
            new_item_bonus=self.new_item_bonus,
        )

    @property
    def beam(self) -> int:
        """Paths that the generator's search keeps per level and tree."""
        return int(self.manifest.settings["treebridge"]["beam"])

    @property
    def fusion(self) -> Fusion:
        """Fusion of the trees' candidates into one list; older releases used sums only."""
        fusion: Fusion = self.manifest.settings["treebridge"].get("fusion", "sum")
        return fusion

    @property
    def new_item_bonus(self) -> float:
        """Log-score boost of cold-start items; none in older releases."""
        return float(self.manifest.settings["treebridge"].get("new_item_bonus", 0.0))

    @property
    def generator_folder(self) -> Path:
        """Model folder of the generator."""
        return self.folder / "models" / "treebridge"

    @cached_property
    def popularity(self) -> np.ndarray:
        """[N] int64, positives per item.

        Of all days where the release has the file, as in evaluation; else of the histories, which
        hold every user's newest events only.
        """
        counts = self._optional(POPULARITY_FILE)
        if counts is None:
            rows = self.rows_of(self.histories["item_ids"].combine_chunks().flatten())
            return np.bincount(rows, minlength=self.items.num_rows)
        place = pc.index_in(self.items["item_id"], value_set=counts["item_id"].combine_chunks())
        found = pc.fill_null(counts["count"].take(place), 0)
        return np.asarray(found.to_numpy(), dtype=np.int64)

    @cached_property
    def seen(self) -> pa.Table:
        """user_id and item_ids: the items of every user's positives.

        Of all days where the release has the file, as in evaluation; else those of the histories.
        """
        seen = self._optional(SEEN_FILE)
        return self.histories.select(["user_id", "item_ids"]) if seen is None else seen

    @property
    def ef_search(self) -> int:
        """Candidates of an index search, as in the measurement of its recall."""
        return int(self.manifest.settings["index"]["ef_search"])

    @property
    def keeps_seen_items(self) -> bool:
        """Whether seen items stay in the lists, as in a shop with repurchases."""
        return bool(self.manifest.settings["source"]["keep_seen_items"])

    @cached_property
    def products(self) -> np.ndarray | None:
        """[N] int64, product of each item, where lists hold one variant of each; else none."""
        wanted = self.manifest.settings["source"].get("one_variant_per_product", False)
        if not wanted or "product_id" not in self.items.column_names:
            return None
        return product_numbers(self.items["product_id"])

    def rows_of(self, item_ids: pa.Array) -> np.ndarray:
        """Item rows of ids; ids of items that no longer exist are left out."""
        rows = rows_of(item_ids, self.items["item_id"].combine_chunks())
        return rows[rows >= 0]

    def rows_of_keys(self, keys: np.ndarray) -> np.ndarray:
        """Item rows of index keys, −1 for an unknown key."""
        return self._rows_by_key.find(keys)

    def history_of(self, user_id: str) -> pa.Table:
        """The user's row of histories; no row for an unknown user."""
        return self.histories.filter(pc.equal(self.histories["user_id"], user_id))

    def seen_by(self, user_id: str) -> np.ndarray:
        """Distinct rows, ascending, of the items of a user's positives."""
        lists = self.seen.filter(pc.equal(self.seen["user_id"], user_id))["item_ids"]
        return np.unique(self.rows_of(lists.combine_chunks().flatten()))

    def _optional(self, name: str) -> pa.Table | None:
        """An optional file; only files of the manifest have been verified."""
        return pq.read_table(self.folder / name) if name in self.manifest.files else None

    @cached_property
    def _rows_by_key(self) -> RowsByKey:
        return RowsByKey(self.items["item_key"].to_numpy())


def open_release(folder: str | Path) -> ReleaseReader:
    """Verify a release folder and open it.

    Raises:
        DataError: a file is missing or differs from the manifest.
    """
    return ReleaseReader(Path(folder), verify_release(folder))


def open_current_release(pointer: str | Path) -> ReleaseReader:
    """Open the served release.

    Args:
        pointer: file with its id, beside the release folders.

    Raises:
        DataError: no release was published yet, or the release is broken.
    """
    release_id = current_release(pointer)
    if release_id is None:
        raise DataError(
            "no release is served yet",
            where=str(pointer),
            expected="a pointer to a release",
            found="no pointer",
            next_step="publish a day first: `make run`",
        )
    return open_release(Path(pointer).parent / release_id)
