"""The generator of a day: codes of its trees, their generation, and a searcher over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grove.datasets import CODES, TREES, Layout
from grove.errors import DataError
from grove.features.model_metadata import read_metadata
from grove.runtime.tables import read_arrow
from grove.settings.models import TreeBridgeSettings
from grove.stages.handoffs import TreesReport
from grove.systems.treebridge.search import TreeBridgeSearcher, load_searcher
from grove.systems.treebridge.train import codes_file


def read_codes(layout: Layout, day: date) -> dict[str, pa.Table]:
    """Codes of a day by tree: item_id, path, slot."""
    columns = ("item_id", "path", "slot")
    return {tree: read_arrow(layout, CODES, columns=columns, day=day, tree=tree) for tree in TREES}


def write_codes(folder: Path, codes: Mapping[str, pa.Table]) -> dict[str, Path]:
    """Write codes where every worker can read them; returns the file of each tree."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {tree: folder / codes_file(tree) for tree in codes}
    for tree, table in codes.items():
        pq.write_table(table, files[tree])
    return files


def require_same_trees(folder: Path, trees: TreesReport) -> None:
    """Check that a generator was trained on a day's trees.

    Args:
        folder: of the model.
        trees: of the day.

    Raises:
        DataError: the model was trained on another tree generation.
    """
    trained_on = read_metadata(folder).generations
    if trained_on != trees.generations:
        raise DataError(
            "the generator was trained on another tree generation",
            where=str(folder),
            expected=f"generations {trees.generations}, the day's",
            found=f"generations {trained_on}",
            next_step="trees are rebuilt on a retrain day only: run the day again with --retrain",
        )


def open_searcher(
    folder: Path, item_table: pa.Table, codes: Mapping[str, pa.Table], search: TreeBridgeSettings
) -> TreeBridgeSearcher:
    """Load a generator with a day's items and codes, to search as the settings say.

    Args:
        folder: of the model.
        item_table: of the day.
        codes: item_id, path, slot by tree.
        search: beam, fusion of the trees, and bonus of cold-start items.
    """
    return load_searcher(
        folder,
        item_table,
        codes,
        beam=search.beam,
        fusion=search.fusion,
        new_item_bonus=search.new_item_bonus,
    )
