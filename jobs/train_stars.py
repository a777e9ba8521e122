"""Train STARS, or reuse its earlier weights, and give every item its vector.

Reads   the plan and embed_texts reports of D, items as of D, text_embeddings, histories of D
        (candidate: cut before; update: cut through), the previous release's model, or, for the
        update, the model of the candidate pass
Writes  item_vectors of D, stars and the pass; a model folder where something was trained
Fails   when an item has no text vector, or a training worker fails; rejects vectors that are not
        finite, losses that are not finite, and an update that drifts or ranks worse for
        held-out users

    python jobs/train_stars.py --day 2026-11-19 --pass candidate --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.datasets import stage_name
from grove.runtime.arguments import parse, training_parser
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.stages.train_stars import train_stars


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(training_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Run one pass of STARS over the day."""
    stage = stage_name("train_stars", arguments.training_pass)
    with open_stage("train_stars", arguments, stage=stage) as run:
        train_stars(run, arguments.training_pass)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
