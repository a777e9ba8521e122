"""The tables of a day as a release holds them."""

from __future__ import annotations

import pyarrow as pa

from grove import release
from grove.datasets import (
    CODES,
    HISTORIES,
    INTERACTIONS,
    ITEMS,
    TREES,
    USER_CANDIDATES,
    USER_EMBEDDINGS,
)
from grove.index import item_keys
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import newest_rows_as_of, partition_days, read_arrow
from grove.stages.model_inputs import item_table_of, text_vectors


def release_tables(stage: StageRun) -> dict[str, pa.Table]:
    """Everything a server reads besides weights, trees and index, by file name."""
    return {
        "items.parquet": _item_rows(stage),
        **_day_rows(stage),
        **release.past_tables(_positives(stage)),
    }


def _item_rows(stage: StageRun) -> pa.Table:
    items = newest_rows_as_of(stage.layout, ITEMS, "item_id", stage.day)
    item_table = item_table_of(items, text_vectors(stage))
    return release.item_rows(
        items, item_table, item_keys(item_table["item_id"].to_pylist()).tolist()
    )


def _positives(stage: StageRun) -> pa.Table:
    """What every user has had, and how often everybody had an item: a history forgets both."""
    days = [day for day in partition_days(stage.layout, INTERACTIONS) if day <= stage.day]
    kinds = list(stage.settings.source.positive_events)
    columns = ("user_id", "item_id")
    return read_arrow(stage.layout, INTERACTIONS, columns=columns, day=days, event_type=kinds)


def _day_rows(stage: StageRun) -> dict[str, pa.Table]:
    layout, day = stage.layout, stage.day
    users = read_arrow(layout, USER_EMBEDDINGS, day=day)
    candidates = read_arrow(layout, USER_CANDIDATES, day=day)
    histories = read_arrow(layout, HISTORIES, day=day, cut="through")
    codes = {tree: read_arrow(layout, CODES, day=day, tree=tree) for tree in TREES}
    return {
        "user_embeddings.parquet": release.day_rows(users, "user_id", without=("day",)),
        "user_candidates.parquet": release.day_rows(candidates, "user_id", without=("day",)),
        "histories.parquet": release.day_rows(histories, "user_id", without=("day", "cut")),
        **{
            f"codes_{tree}.parquet": release.day_rows(rows, "item_id", without=("day", "tree"))
            for tree, rows in codes.items()
        },
    }
