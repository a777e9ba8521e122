"""Collection of a release: everything a server needs in one folder, deterministic per input."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from grove.datasets import release_day
from grove.errors import DataError
from grove.release.checksums import content_fingerprint, describe_files
from grove.release.durable import TEMPORARY_SUFFIX, write_json
from grove.release.manifest import MANIFEST_FILE, Manifest
from grove.release.rows import headline

ROWS_PER_GROUP = 50_000
"""Rows of a Parquet row group; a reader may take one group at a time."""
METRICS_FILE = "metrics.json"


@dataclass(frozen=True)
class Parts:
    """The parts of a release."""

    folders: Mapping[str, Path]
    """Folder to copy, by its path in the release, for example `models/stars`."""
    tables: Mapping[str, pa.Table]
    """Rows to write, by file name, for example `items.parquet`; sorted by their key."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """Metrics of the day, for metrics.json."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Origin of a release: the part of its manifest that is not in its files."""

    run_id: str
    code_version: str
    table_versions: Mapping[str, int]
    settings: Mapping[str, Any]
    plan: Mapping[str, Any]
    trees: Mapping[str, Any]
    weights: Mapping[str, Any]
    judged: Mapping[str, str] = field(default_factory=dict)


def start_release(releases_folder: str | Path, release_id: str) -> Path:
    """Create the empty folder of a new release; leftovers of a killed run are deleted."""
    folder = Path(releases_folder) / f"{release_id}{TEMPORARY_SUFFIX}"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def collect_parts(folder: Path, parts: Parts) -> None:
    """Copy the folders, write the tables and the metrics.

    Args:
        folder: from `start_release`.
        parts: folders, tables and metrics.

    Raises:
        DataError: a folder to copy does not exist.
    """
    for name, source in parts.folders.items():
        if not source.is_dir():
            raise DataError(
                "a part of the release is missing",
                where=str(source),
                expected=f"the folder that becomes {name}",
                found="nothing",
                next_step="rerun the stage that writes it, then publish again",
            )
        shutil.copytree(source, folder / name)
    for name, table in parts.tables.items():
        rows = without_comments(table)
        pq.write_table(rows, folder / name, row_group_size=ROWS_PER_GROUP, compression="zstd")
    write_json(folder / METRICS_FILE, parts.metrics)


def without_comments(table: pa.Table) -> pa.Table:
    """The same rows without the descriptions of columns that a Delta table carries.

    A description is a sentence of a contract. With it in the files, a reworded sentence would give
    equal rows another `content`.

    Args:
        table: any.
    """
    fields = [pa.field(one.name, one.type, one.nullable) for one in table.schema]
    return table.cast(pa.schema(fields))


def describe_release(
    folder: Path,
    release_id: str,
    *,
    origin: Origin,
    metrics: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Manifest:
    """Create the manifest of a collected folder.

    Args:
        folder: the collected folder.
        release_id: id of the new release.
        origin: fields that are not in the files.
        metrics: figures per stage; those over all users and items go into the manifest.
    """
    files = describe_files(folder, without=frozenset({MANIFEST_FILE}))
    return Manifest(
        release_id=release_id,
        day=release_day(release_id),
        run_id=origin.run_id,
        content=content_fingerprint(files),
        code_version=origin.code_version,
        files=files,
        table_versions=origin.table_versions,
        settings=origin.settings,
        plan=origin.plan,
        metrics=headline(metrics),
        trees=origin.trees,
        weights=origin.weights,
        judged=origin.judged,
    )
