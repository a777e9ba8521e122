"""The tables of a day as a release holds them."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from grove import release
from grove.datasets import (
    CODES,
    HISTORIES,
    INTERACTIONS,
    TREES,
    USER_CANDIDATES,
    USER_EMBEDDINGS,
    Layout,
)
from grove.index import item_keys
from grove.runtime.tables import partition_days, read_arrow
from grove.settings.shop import SourceSettings
from grove.stages.model_inputs import item_table_of, items_as_of, text_vectors


def release_tables(
    layout: Layout, day: date, encoder: str, source: SourceSettings
) -> dict[str, pa.Table]:
    """Everything a server reads besides weights, trees and index, by file name.

    Args:
        layout: paths of the home.
        day: of the release.
        encoder: fingerprint of the day's text encoder.
        source: its positive events.
    """
    return {
        "items.parquet": _item_rows(layout, day, encoder),
        **_day_rows(layout, day),
        **release.past_tables(_positives(layout, day, source)),
    }


def _item_rows(layout: Layout, day: date, encoder: str) -> pa.Table:
    items = items_as_of(layout, day)
    item_table = item_table_of(items, text_vectors(layout, encoder))
    keys = item_keys(item_table["item_id"].to_pylist()).tolist()
    return release.item_rows(items, item_table, keys)


def _positives(layout: Layout, day: date, source: SourceSettings) -> pa.Table:
    """Positives of all days up to this one; a history is limited to its newest events."""
    days = [one for one in partition_days(layout, INTERACTIONS) if one <= day]
    kinds = list(source.positive_events)
    columns = ("user_id", "item_id")
    return read_arrow(layout, INTERACTIONS, columns=columns, day=days, event_type=kinds)


def _day_rows(layout: Layout, day: date) -> dict[str, pa.Table]:
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
