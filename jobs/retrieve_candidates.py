"""Give every user the updated generator's list, in Spark workers.

Reads   the report of train_treebridge.update of D and its model folder; items as of D,
        text_embeddings, codes of D; histories of D, cut through; interactions up to D
Writes  user_candidates of D: the best items of both trees for every user with a history, or the
        best variant of each product if source.one_variant_per_product is set
Fails   when the update has not committed; rejects lists that hold an item twice, and users that
        are missing or occur twice

    spark-submit jobs/retrieve_candidates.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.retrieve_candidates import retrieve_candidates


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Search for every user with the weights that were trained on the day."""
    with open_stage("retrieve_candidates", arguments) as run:
        retrieve_candidates(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
