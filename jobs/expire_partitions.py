"""Delete what has been kept long enough: rows, files, artifacts, landed days, records, releases.

Reads   schemas/*.yaml for how long each table is kept, and the settings for the rest
Writes  the tables without their expired days; deletes files no table names any more, and
        what days before left behind: artifacts, unfinished work, landed files, reports, verdicts,
        Data Docs, notices, releases; never the release being served
Fails   when a table cannot be read; what was deleted before stays deleted

    python jobs/expire_partitions.py --day 2026-11-19 --settings var/local/settings.yaml --dry-run
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from grove.datasets import DATASETS, release_day
from grove.release import current_release, list_releases, superfluous_releases
from grove.runtime.arguments import job_parser, parse
from grove.runtime.job import run_job
from grove.runtime.retention import (
    delete_days,
    expired_artifacts,
    expired_landing,
    expired_records,
    expired_rows,
    expired_staging,
    remove_paths,
    tidy_table,
    unfinished_releases,
)
from grove.runtime.stage_run import StageRun, open_stage


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument("--dry-run", action="store_true", help="say what would go; delete nothing")
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Find what has expired, seen from the day, and delete it."""
    with open_stage("expire_partitions", arguments) as stage:
        folders = _folders(stage)
        stage.report.note("folders", {name: [str(one) for one in f] for name, f in folders.items()})
        _tables(stage, dry_run=arguments.dry_run)
        if not arguments.dry_run:
            for expired in folders.values():
                remove_paths(expired)


def _folders(stage: StageRun) -> dict[str, list[Path]]:
    settings, releases = stage.settings, Path(stage.layout.releases())
    serving = current_release(stage.layout.current_pointer())
    old = superfluous_releases(releases, keep=settings.release.keep, serving=serving)
    kept_days = {release_day(one) for one in list_releases(releases) if one not in old}
    kept = settings.retention
    artifacts, landing, records = (
        stage.day - timedelta(days=days)
        for days in (kept.artifact_days, kept.landing_days, kept.report_days)
    )
    return {
        "releases": [releases / one for one in old],
        "unfinished_releases": unfinished_releases(stage.layout, stage.day),
        "artifacts": expired_artifacts(stage.layout, artifacts, keep=kept_days),
        "staging": expired_staging(stage.layout, artifacts),
        "landing": expired_landing(stage.layout, landing),
        "records": expired_records(stage.layout, records),
    }


def _tables(stage: StageRun, *, dry_run: bool) -> None:
    expired = expired_rows(stage.layout, stage.day)
    stage.report.note("days", {name: [str(day) for day in days] for name, days in expired.items()})
    files = {}
    for name, dataset in DATASETS.items():
        if name in expired and not dry_run:
            delete_days(stage.layout, dataset, expired[name])
        hours = stage.settings.retention.vacuum_hours
        files[name] = tidy_table(stage.layout, dataset, hours=hours, dry_run=dry_run)
    stage.report.note("files", files)


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
