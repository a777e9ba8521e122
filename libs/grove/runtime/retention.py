"""Retention: expired rows of tables, files that tables no longer use, and files of old days."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path

from grove.contracts import load_contract
from grove.datasets import DATASETS, FEEDS, Dataset, Layout
from grove.runtime.files import TEMPORARY_SUFFIX, remove_tree
from grove.runtime.locks import commit_lock
from grove.runtime.tables import open_table, partition_days

_DAY_NAME = re.compile(r"^(?:day=)?(\d{4}-\d{2}-\d{2})(?:\.\d+\.tmp|-.+\.json)?$")
"""Folders of a day, unfinished releases, and notices, whose names start with their day."""


def expired_days(layout: Layout, dataset: Dataset, day: date) -> list[date]:
    """Days of a table beyond the retention of its contract as of a day, in order."""
    kept = load_contract(dataset).retention_days
    if kept is None or "day" not in dataset.partition_by:
        return []
    return [one for one in partition_days(layout, dataset) if one < day - timedelta(days=kept)]


def expired_rows(layout: Layout, day: date) -> dict[str, list[date]]:
    """Expired days per dataset, for datasets with expired days."""
    found = {name: expired_days(layout, dataset, day) for name, dataset in DATASETS.items()}
    return {name: days for name, days in found.items() if days}


def delete_days(layout: Layout, dataset: Dataset, days: Collection[date]) -> None:
    """Delete whole days from a table, in one commit."""
    newest = max(days)
    with commit_lock(layout, dataset):
        open_table(layout, dataset).delete(f"day <= '{newest:%Y-%m-%d}'")


def tidy_table(layout: Layout, dataset: Dataset, *, hours: int, dry_run: bool) -> int:
    """Compact a table without days, and delete files that the table no longer uses.

    Args:
        layout: paths of the home folder.
        dataset: table to tidy.
        hours: unused files younger than this are kept, for active readers.
        dry_run: only count.

    Returns:
        Number of files that were, or would be, deleted.
    """
    with commit_lock(layout, dataset):
        table = open_table(layout, dataset)
        # A day is rewritten whole; a table without days only grows, by one small file per run.
        if "day" not in dataset.partition_by and not dry_run:
            table.optimize.compact()
        files = table.vacuum(
            retention_hours=hours, dry_run=dry_run, enforce_retention_duration=False
        )
        return len(files)


def expired_landing(layout: Layout, before: date) -> list[Path]:
    """Folders of the days before another: landed feeds, markers, and the simulator's truth."""
    landing, truth = (
        Path(layout.landing_marker(before)).parents[2],
        Path(layout.truth(before)).parents[1],
    )
    parents = [*(landing / name for name in (*FEEDS, "markers")), truth]
    return [folder for parent in parents for folder in _older(parent, before=before)]


def expired_artifacts(layout: Layout, before: date, *, keep: Collection[date]) -> list[Path]:
    """Folders of artifacts of the days before another, except the days of kept releases."""
    parent = Path(layout.attempts(before, "any")).parents[1]
    return [folder for folder in _older(parent, before=before) if _day_of(folder) not in keep]


def expired_staging(layout: Layout, before: date) -> list[Path]:
    """Staging folders of the days before another, kept for a resumption that did not happen."""
    staging = Path(layout.staging("any", before)).parents[1]
    stages = sorted(staging.iterdir()) if staging.is_dir() else []
    return [folder for stage in stages for folder in _older(stage, before=before)]


def expired_records(layout: Layout, before: date) -> list[Path]:
    """Records of the days before another: reports, verdicts, Data Docs, notices."""
    parents = (
        Path(layout.report(before, "any")).parents[1],
        Path(layout.verdict(before, "any", "any")).parents[2],
        Path(layout.data_docs(before)).parent,
        Path(layout.notices()),
    )
    return [path for parent in parents for path in _older(parent, before=before)]


def unfinished_releases(layout: Layout, before: date) -> list[Path]:
    """Folders of releases of earlier days that were not sealed because their run was killed."""
    older = _older(Path(layout.releases()), before=before)
    return [folder for folder in older if folder.name.endswith(TEMPORARY_SUFFIX)]


def remove_paths(paths: Collection[Path]) -> None:
    """Delete files, and folders with their content."""
    for path in paths:
        remove_tree(path)


def _older(parent: Path, *, before: date) -> list[Path]:
    if not parent.is_dir():
        return []
    days = {path: _day_of(path) for path in sorted(parent.iterdir())}
    return [path for path, day in days.items() if day is not None and day < before]


def _day_of(path: Path) -> date | None:
    found = _DAY_NAME.match(path.name)
    return date.fromisoformat(found.group(1)) if found else None
