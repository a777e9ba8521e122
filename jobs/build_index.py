"""Build the index that finds items by inner product, and measure its recall.

Reads   item_vectors[stars, update] of D, codes of D (which items there are), h_next of
        user_embeddings of D (the queries of the measurement)
Writes  an artifact with index.faiss (each distinct vector once), keys.parquet (the entry of every
        item) and index.json; a small graph with too low a recall is replaced by an exact index
Fails   when two items share a key or the factory string is wrong; rejects the day when
        recall is low, an item is missing or a vector is not finite

    python jobs/build_index.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.build_index import build_index


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Index the day's item vectors, and keep the index if its recall suffices."""
    with open_stage("build_index", arguments) as run:
        build_index(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
