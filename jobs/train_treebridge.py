"""Train TreeBridge's generator over the day's trees, or reuse its earlier weights.

Reads   the plan, embed_texts and build_trees reports of D, items as of D, text_embeddings, codes
        of D, histories of D (candidate: cut before; update: cut through), the previous release's
        model, or, for the update, the model of the candidate pass
Writes  a verdict and, where something was trained, a model folder; no table
Fails   when an item has no text vector, when the model was trained on other trees, or a training
        worker fails; rejects losses that are not finite, and an update that drifts or ranks
        worse for held-out users

    python jobs/train_treebridge.py --day 2026-11-19 --pass candidate --settings settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import stage_name
from grove.runtime.arguments import parse, training_parser
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.train_treebridge import train_treebridge


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(training_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Run one pass of TreeBridge over the day."""
    stage = stage_name("train_treebridge", arguments.training_pass)
    with open_stage("train_treebridge", arguments, stage=stage) as run:
        train_treebridge(run, arguments.training_pass)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
