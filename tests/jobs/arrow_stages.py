"""The four stages that run in Spark, on a tiny shop without a session.

They write the tables and reports that the stages write, by plain loops and by the functions that
Spark's workers run. A day then takes about a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from tests.jobs.shop_day import report

from grove.contracts import Verdict, arrow_schema, load_contract
from grove.datasets import (
    CUTS,
    HISTORIES,
    INTERACTIONS,
    ITEMS,
    QUERIES,
    USER_CANDIDATES,
    USER_EMBEDDINGS,
    Dataset,
    Layout,
)
from grove.histories.checks import HistoryFacts, check_histories
from grove.runtime.days import require_history
from grove.runtime.files import write_text
from grove.runtime.tables import read_arrow, replace_partition
from grove.settings import Settings
from grove.stages.handoffs import read_weights
from grove.stages.model_inputs import day_item_table, write_item_table
from grove.stages.retrieve_candidates import write_search
from grove.systems.stars.encode import user_embedding_batches
from grove.systems.treebridge.candidates import SEEN, candidate_batches

ARRAYS = {
    "item_ids": "item_id",
    "event_types": "event_type",
    "event_times": "event_time",
    "landed_days": "day",
    "queries": "query",
    "regions": "region",
    "devices": "device",
    "weathers": "weather",
    "promotions": "promotion",
}
"""Array of a history → column of the events it holds."""
Row = dict[str, Any]


def accept(layout: Layout, day: date, events: Sequence[Row], items: Sequence[Row]) -> None:
    """Write the rows of a landed day as ingest accepts them."""
    searches = {query: 1 for row in events if (query := row.get("query"))}
    queries = [{"query": query, "searches": 1, "clicks": 0} for query in sorted(searches)]
    for dataset, rows in ((ITEMS, items), (QUERIES, queries), (INTERACTIONS, events)):
        replace_partition(_table(dataset, day, rows), layout, dataset, {"day": day})
    report(layout, day, "ingest_landing")


def write_histories(layout: Layout, day: date, settings: Settings) -> None:
    """Write the histories of both cuts, as `build_histories` does."""
    require_history(layout, day)
    kinds = list(settings.source.positive_events)
    events = read_arrow(layout, INTERACTIONS, event_type=kinds)
    found: dict[tuple[str, str], list[Row]] = {}
    for row in events.sort_by([("event_time", "ascending"), ("event_id", "ascending")]).to_pylist():
        cuts = [cut for cut in CUTS if row["day"] < day or (row["day"] == day and cut != "before")]
        for cut in cuts:
            found.setdefault((cut, row["user_id"]), []).append(row)
    rows = [
        {"cut": cut, "user_id": user}
        | {
            array: [one[column] or "" for one in kept[-settings.histories.max_events :]]
            for array, column in ARRAYS.items()
        }
        for (cut, user), kept in found.items()
    ]
    facts = HistoryFacts(rows=len(rows), events=0, unordered=0, beyond_cut=0, too_long=0)
    verdict = Verdict(HISTORIES.name, check_histories(facts))
    write_text(layout.verdict(day, "build_histories", HISTORIES.name), verdict.to_json())
    if verdict.passed:
        table = _table(HISTORIES, day, rows)
        replace_partition(table, layout, HISTORIES, {"day": day, "cut": list(CUTS)})
    report(layout, day, "build_histories", status="committed" if verdict.passed else "refused")


def write_users(layout: Layout, day: date) -> None:
    """Write both vectors of every user, as `infer_users` does."""
    staging = Path(layout.staging("infer_users", day))
    model = read_weights(layout, day, "stars", "update").folder
    items = write_item_table(staging, day_item_table(layout, day))
    encode = user_embedding_batches(str(model), str(items))
    histories = read_arrow(layout, HISTORIES, day=day, cut="through").to_batches()
    rows = [row for batch in encode(iter(histories)) for row in batch.to_pylist()]
    replace_partition(_table(USER_EMBEDDINGS, day, rows), layout, USER_EMBEDDINGS, {"day": day})
    report(layout, day, "infer_users")


def write_candidates(layout: Layout, day: date, settings: Settings) -> None:
    """Write the generator's list of every user, as `retrieve_candidates` does."""
    staging = Path(layout.staging("retrieve_candidates", day))
    model = read_weights(layout, day, "treebridge", "update").folder
    search = write_search(staging, layout, day, model=model, settings=settings)
    kinds = [] if settings.source.keep_seen_items else list(settings.source.positive_events)
    seen: dict[str, set[str]] = {}
    for row in read_arrow(layout, INTERACTIONS, event_type=kinds).to_pylist():
        seen.setdefault(row["user_id"], set()).add(row["item_id"])
    histories = read_arrow(layout, HISTORIES, day=day, cut="through").sort_by("user_id")
    lists = [sorted(seen[user]) if user in seen else None for user in _names(histories)]
    with_seen = histories.append_column(SEEN, pa.array(lists, pa.list_(pa.string())))
    retrieve = candidate_batches(search)
    batches = with_seen.combine_chunks().to_batches()
    rows = [row for batch in retrieve(iter(batches)) for row in batch.to_pylist()]
    replace_partition(_table(USER_CANDIDATES, day, rows), layout, USER_CANDIDATES, {"day": day})
    report(layout, day, "retrieve_candidates")


def _names(histories: pa.Table) -> list[str]:
    return list(histories["user_id"].to_pylist())


def _table(dataset: Dataset, day: date, rows: Sequence[Row]) -> pa.Table:
    schema = arrow_schema(load_contract(dataset))
    return pa.Table.from_pylist([_typed({"day": day, **row}) for row in rows], schema=schema)


def _typed(row: Row) -> Row:
    """A landed row with times and days as tables hold them."""
    if "event_time" in row:
        row["event_time"] = datetime.fromisoformat(row["event_time"]).astimezone(UTC)
    if "first_seen" in row:
        row["first_seen"] = date.fromisoformat(row["first_seen"])
    return row
