"""Decide whether a day is ordinary or a retrain day, before anything is trained.

Reads   the manifest of the newest release before D, every file of it against its checksum;
        the day's report of embed_texts, for the encoder; how many items there are as of D
Writes  its report: kind, reason, previous release, comparator, what the weights have learnt
Fails   when embed_texts has not committed; a release that is broken is not started from

    python jobs/plan_day.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from grove.datasets import ITEMS, SYSTEMS
from grove.errors import DataError
from grove.release import newest_release_before, verify_release
from grove.release.plan import (
    WEIGHTS_FORMAT,
    EarlierRelease,
    PlanLimits,
    decide_plan,
    earlier_release,
)
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.stage_run import StageRun, open_stage
from grove.runtime.tables import newest_rows_as_of
from grove.settings import Settings


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument("--retrain", action="store_true", help="retrain, whatever is due")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Look at the newest earlier release, decide, and report."""
    with open_stage("plan_day", arguments) as stage:
        encoder = stage.earlier_report("embed_texts")["versions"]["encoder"]
        earlier, broken = _earlier(stage)
        items = newest_rows_as_of(stage.layout, ITEMS, "item_id", stage.day, columns=()).num_rows
        plan = decide_plan(
            stage.day,
            earlier,
            shape=_shape(stage.settings, encoder),
            limits=_limits(stage.settings),
            asked=arguments.retrain,
            new_items=items - earlier.items if earlier else 0,
        )
        plan = replace(plan, reason=f"{plan.reason}; {broken}") if broken else plan
        for key, value in plan.as_notes().items():
            stage.report.note(key, value)
        stage.log.info("%s is a day of kind %s: %s", stage.day, plan.kind, plan.reason)


def _earlier(stage: StageRun) -> tuple[EarlierRelease | None, str | None]:
    """The newest earlier release, and what is broken about it where it cannot be used."""
    releases = stage.layout.releases()
    release_id = newest_release_before(releases, stage.day)
    if release_id is None:
        return None, None
    try:
        return earlier_release(verify_release(Path(releases) / release_id)), None
    except DataError as error:
        stage.log.warning("not starting from %s: %s", release_id, error)
        return None, f"{release_id} is broken: {error.what}, {error.found}"


def _shape(settings: Settings, encoder: str) -> dict[str, str]:
    shape = {
        "encoder": encoder,
        "weights format": WEIGHTS_FORMAT,
        "history length": str(settings.histories.max_events),
    }
    for system in SYSTEMS:
        section = getattr(settings, system.name)
        for name in system.shape:
            shape[f"{system.name} {name.replace('_', ' ')}"] = str(getattr(section, name))
        for label, name in system.switches.items():
            shape[f"{system.name} {label}"] = str(getattr(section, name) > 0)
    return shape


def _limits(settings: Settings) -> PlanLimits:
    return PlanLimits(
        retrain_every_days=settings.plan.retrain_every_days,
        min_free_share=settings.trees.min_free_share,
        max_distortion_growth=settings.trees.max_distortion_growth,
    )


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
