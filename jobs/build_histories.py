"""Put each user's events in order, once as known before the day and once with it.

Reads   interactions of D and of all accepted days before
Writes  histories of D, cut `before` (landed by D-1) and cut `through` (landed by D)
Fails   when D was not ingested, or no earlier day was; refuses the day when a history is out
        of order or shows `before` an event of D

    spark-submit jobs/build_histories.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence

from grove.contracts import load_contract
from grove.datasets import CUTS, HISTORIES, INTERACTIONS
from grove.histories import build_histories, check_histories, measure_histories
from grove.quality import validate_dataset
from grove.quality.invariants import no_gap
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import open_stage
from grove.runtime.tables import read_spark


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    return parse(job_parser(__doc__), argv)


def run(arguments: Namespace) -> None:
    """Build, judge and write the histories of both cuts."""
    with open_stage("build_histories", arguments) as stage:
        stage.earlier_report("ingest_landing")
        stage.require_history()
        max_events = stage.settings.histories.max_events
        histories = stage.persist(
            build_histories(
                read_spark(stage.spark(), stage.layout, INTERACTIONS),
                stage.day,
                positive_events=stage.settings.source.positive_events,
                max_events=max_events,
            )
        )
        facts = measure_histories(histories, max_events=max_events)
        gap = no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap)
        verdict = validate_dataset(
            load_contract(HISTORIES),
            histories,
            run_name=f"{stage.day} build_histories",
            docs_folder=stage.docs_folder,
            invariants=(*check_histories(facts), gap),
        )
        stage.report.rows(in_=facts.events, out=facts.rows)
        stage.commit(HISTORIES, histories, verdict, cut=list(CUTS))


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
