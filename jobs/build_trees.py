"""Give every item a path in the llm tree and in the cf tree.

Reads   items as of D, text_embeddings; item_vectors[dssm, candidate] of D where the plan
        rebuilds, else the trees of the previous release; a rebuild uses the items as of D−1,
        and the day's own join it
Writes  codes of D for both trees; an artifact with `llm/`, `cf/` and `cf/dssm/`, the
        frozen model that places new items in the cf tree
Fails   when vectors are missing, not finite or zero; rejects the day, leaving the old
        codes, when a tree has no slot left for the day's new items

    python jobs/build_trees.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.build_trees import build_trees


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Rebuild or extend both trees of the day."""
    with open_stage("build_trees", arguments) as run:
        build_trees(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
