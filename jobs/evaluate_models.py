"""Evaluate the day's candidate on a day it has not seen.

Reads   the plan, embed_texts, build_trees and train reports of D, interactions of all days up to
        D, histories of D cut before, items, text_embeddings, codes; the comparator's release;
        truth of D where the source is a simulator
Writes  metrics of D: HR, NDCG and coverage of every list, of the comparator, of two
        popularity baselines and of the oracle
Fails   when an earlier stage has not committed; rejects a candidate whose fused HR@50 falls
        below the comparator's by more than the tolerance

    python jobs/evaluate_models.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.evaluate_models import evaluate_models


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Evaluate the day's candidate."""
    with open_stage("evaluate_models", arguments) as run:
        evaluate_models(run)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
