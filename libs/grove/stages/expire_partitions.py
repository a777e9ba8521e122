"""Deletion of expired data: rows, files, artifacts, landed days, releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

from grove.datasets import DATASETS, Layout, release_day
from grove.release import current_release, list_releases, superfluous_releases
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
from grove.runtime.stage_run import StageRun
from grove.settings import Settings


def expire_partitions(run: StageRun, *, dry_run: bool) -> None:
    """Find the data that has expired as of the day, report it, and delete it.

    Args:
        run: of the stage.
        dry_run: report only; delete nothing.
    """
    folders = expired_folders(run.layout, run.day, run.settings)
    names = {name: [str(folder) for folder in found] for name, found in folders.items()}
    run.report.note("folders", names)
    days = expired_rows(run.layout, run.day)
    run.report.note("days", {name: [str(day) for day in found] for name, found in days.items()})
    hours = run.settings.retention.vacuum_hours
    files = expire_rows(run.layout, days, vacuum_hours=hours, dry_run=dry_run)
    run.report.note("files", files)
    if not dry_run:
        for found in folders.values():
            remove_paths(found)


def expired_folders(layout: Layout, day: date, settings: Settings) -> dict[str, list[Path]]:
    """Expired files and folders outside tables, by kind."""
    releases, kept = Path(layout.releases()), settings.retention
    serving = current_release(layout.current_pointer())
    old = superfluous_releases(releases, keep=settings.release.keep, serving=serving)
    kept_days = {release_day(one) for one in list_releases(releases) if one not in old}
    artifacts = day - timedelta(days=kept.artifact_days)
    return {
        "releases": [releases / one for one in old],
        "unfinished_releases": unfinished_releases(layout, day),
        "artifacts": expired_artifacts(layout, artifacts, keep=kept_days),
        "staging": expired_staging(layout, artifacts),
        "landing": expired_landing(layout, day - timedelta(days=kept.landing_days)),
        "records": expired_records(layout, day - timedelta(days=kept.report_days)),
    }


def expire_rows(
    layout: Layout, days: Mapping[str, Sequence[date]], *, vacuum_hours: int, dry_run: bool
) -> dict[str, int]:
    """Delete expired days and unreferenced files of every table.

    Args:
        layout: paths of the home.
        days: expired days by table.
        vacuum_hours: age of unreferenced files to delete.
        dry_run: delete nothing.

    Returns:
        Unreferenced files by table.
    """
    files = {}
    for name, dataset in DATASETS.items():
        if name in days and not dry_run:
            delete_days(layout, dataset, days[name])
        files[name] = tidy_table(layout, dataset, hours=vacuum_hours, dry_run=dry_run)
    return files
