"""Build the index that finds items by inner product, and measure what it misses.

Reads   item_vectors[stars, update] of D, codes of D (which items there are), h_next of
        user_embeddings of D (the queries of the measurement)
Writes  an artifact with index.faiss, keys.parquet and index.json
Fails   when two items share a key or the factory string is wrong; refuses the day when
        recall is low, an item is missing or a vector is not finite

    python jobs/build_index.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.contracts import Verdict
from grove.datasets import CODES, ITEM_VECTORS, USER_EMBEDDINGS, Dataset
from grove.quality.invariants import finite_vectors, index_recall
from grove.quality.invariants.index import index_complete
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import StageRun, open_stage
from grove.runtime.tables import read_arrow

RECALL_AT = 100
MOST_QUERIES = 2_000
"""Users the recall is measured on; from 1,000 on FAISS compares by matrix product."""


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Index the day's item vectors, and keep the index if it finds enough."""
    # OpenMP reads this when FAISS is loaded: threads that spin would starve other jobs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from grove.features.vectors import vector_matrix
    from grove.index.vectors import spread_rows

    with open_stage("build_index", arguments) as stage:
        rows = _read(stage, ITEM_VECTORS, "item_id", model="stars", training_pass="update")
        items = _read(stage, CODES, "item_id", tree="llm")["item_id"].to_pylist()
        users = _read(stage, USER_EMBEDDINGS, "user_id")
        queries = vector_matrix(users["h_next"].take(spread_rows(len(users), MOST_QUERIES)))
        ids, vectors = rows["item_id"].to_pylist(), vector_matrix(rows["vector"])
        checks = [finite_vectors(vectors), index_complete(ids, items)]
        folder = stage.new_attempt()
        if checks[0].passed:
            recall = _build(stage, folder, ids, vectors, queries)
            checks.append(index_recall(recall, minimum=stage.settings.index.min_recall))
        stage.report.rows(in_=len(ids), out=len(ids))
        if stage.record(Verdict("index", tuple(checks))):
            stage.report.version("stars", rows["model_version"][0].as_py())
            stage.seal_attempt()


def _read(stage: StageRun, dataset: Dataset, key: str, **partition: str) -> pa.Table:
    return read_arrow(stage.layout, dataset, day=stage.day, **partition).sort_by(key)


def _build(
    stage: StageRun, folder: Path, item_ids: Sequence[str], vectors: np.ndarray, queries: np.ndarray
) -> float:
    """Write the index into a folder and measure its recall."""
    from grove.index import build_index, item_keys, recall_against_exact, save_index

    values = stage.settings.index
    keys = item_keys(item_ids)
    index = build_index(
        keys, vectors, factory=values.factory, ef_construction=values.ef_construction
    )
    recall = recall_against_exact(
        index, keys, vectors, queries, k=RECALL_AT, ef_search=values.ef_search
    )
    told = {**values.model_dump(), "items": len(keys), "queries": len(queries), "recall": recall}
    save_index(folder, index, item_ids, keys, told)
    stage.report.note("index", told)
    return recall


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
