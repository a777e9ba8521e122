"""Index that finds items by inner product, and its recall.

FAISS is loaded inside functions, after OpenMP has its wait policy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from grove.contracts import CheckResult, Verdict
from grove.datasets import CODES, ITEM_VECTORS, USER_EMBEDDINGS, Dataset, Layout
from grove.quality.invariants import finite_vectors, graph_recall, index_recall
from grove.quality.invariants.index import index_complete
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow
from grove.settings.sections import IndexSettings

if TYPE_CHECKING:
    from grove.index import ItemIndex

EXACT_FACTORY = "IDMap2,Flat"
RECALL_AT = 100
MOST_QUERIES = 2_000
"""Users the recall is measured on; from 1,000 on FAISS compares by matrix product."""


def build_index(run: StageRun) -> None:
    """Index the day's item vectors, and keep the index if its recall suffices."""
    # OpenMP reads this when FAISS is loaded: spinning threads would starve other jobs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from grove.features.vectors import vector_matrix

    layout, day = run.layout, run.day
    rows = _read(layout, day, ITEM_VECTORS, "item_id", model="stars", training_pass="update")
    items = _read(layout, day, CODES, "item_id", tree="llm")["item_id"].to_pylist()
    ids, vectors = rows["item_id"].to_pylist(), vector_matrix(rows["vector"])
    checks = [finite_vectors(vectors), index_complete(ids, items)]
    folder = run.new_attempt()
    if checks[0].passed:
        users = _read(layout, day, USER_EMBEDDINGS, "user_id")
        facts = save_measured_index(
            folder, ids, vectors, query_vectors(users), settings=run.settings.index
        )
        run.report.note("index", facts)
        checks.extend(recall_checks(facts))
    run.report.rows(in_=len(ids), out=len(ids))
    if run.record(Verdict("index", tuple(checks))):
        run.report.version("stars", rows["model_version"][0].as_py())
        run.seal_attempt()


def query_vectors(users: pa.Table) -> np.ndarray:
    """h_next of at most `MOST_QUERIES` users, spread evenly, [Q, D]."""
    from grove.features.vectors import vector_matrix
    from grove.index.vectors import spread_rows

    return vector_matrix(users["h_next"].take(spread_rows(len(users), MOST_QUERIES)))


def recall_checks(facts: Mapping[str, Any]) -> list[CheckResult]:
    """Check the recall of an index, and that of the graph that it replaced, if any.

    Args:
        facts: from `save_measured_index`.
    """
    minimum, replaced = facts["min_recall"], facts.get("graph_recall")
    contents = (
        f"over {facts['items']} items with {facts['vectors']} distinct vectors; at most"
        f" {facts['largest_group']} items share one"
    )
    checks = [index_recall(facts["recall"], minimum=minimum, contents=contents)]
    return checks if replaced is None else [*checks, graph_recall(replaced, minimum=minimum)]


def save_measured_index(
    folder: Path,
    item_ids: Sequence[str],
    vectors: np.ndarray,
    queries: np.ndarray,
    *,
    settings: IndexSettings,
) -> dict[str, Any]:
    """Build an index, measure its recall, and write both into a folder.

    A graph that misses the recall is replaced by an exact index where this is small enough: among
    nearly equal vectors, a graph for inner products links few of them to the rest.

    Args:
        folder: of the index.
        item_ids: N ids, ascending.
        vectors: [N, D] of the items.
        queries: [Q, D] to measure the recall with.
        settings: factory and widths of the search.

    Returns:
        The settings, with the factory of the index that was saved; `items`, `vectors` (distinct
        ones), `largest_group` (items with one vector), `queries`, `recall`; and `graph_recall`,
        that of the graph that was replaced, if one was.
    """
    from grove.index import item_keys, save_index

    keys = item_keys(item_ids)
    index, recall = _measured(keys, vectors, queries, settings)
    replaced = {}
    too_low = recall < settings.min_recall and index.is_graph
    if too_low and index.vectors.ntotal <= settings.exact_up_to:
        replaced = {"graph_recall": recall}
        settings = settings.model_copy(update={"factory": EXACT_FACTORY})
        index, recall = _measured(keys, vectors, queries, settings)
    facts = {
        **settings.model_dump(),
        "items": len(keys),
        "vectors": index.vectors.ntotal,
        "largest_group": int(index.groups.sizes.max()),
        "queries": len(queries),
        "recall": recall,
        **replaced,
    }
    save_index(folder, index, item_ids, keys, facts)
    return facts


def _measured(
    keys: np.ndarray, vectors: np.ndarray, queries: np.ndarray, settings: IndexSettings
) -> tuple[ItemIndex, float]:
    """An index and its recall by score."""
    from grove.index import build_index as build
    from grove.index import recall_against_exact

    index = build(keys, vectors, factory=settings.factory, ef_construction=settings.ef_construction)
    return index, recall_against_exact(
        index, keys, vectors, queries, k=RECALL_AT, ef_search=settings.ef_search
    )


def _read(layout: Layout, day: date, dataset: Dataset, key: str, **partition: str) -> pa.Table:
    return read_arrow(layout, dataset, day=day, **partition).sort_by(key)
