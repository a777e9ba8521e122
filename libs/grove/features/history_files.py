"""Reading files of `histories`: by worker, one row group at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.features.event_fields import EVENT_FIELDS
from grove.features.sequences import HISTORY_COLUMNS, HistoryEncoder, Sequences
from grove.features.vocabulary import Vocabulary

ROWS_READ_BY_EVERY_WORKER = 200_000
"""Up to this many users every worker reads all and keeps its share, whatever the file layout."""


def read_sequences(
    files: Sequence[str],
    encoder: HistoryEncoder,
    *,
    share: int = 0,
    shares: int = 1,
    excluded: Callable[[str], bool] | None = None,
) -> Sequences:
    """Read one worker's share of the users.

    Small inputs are read by every worker, ordered by user and dealt out in turn, so the result does
    not depend on how the writer cut its files; large ones are split by row group.

    Args:
        files: Parquet files of one cut of `histories`.
        encoder: vocabulary and tables to encode with.
        share: which share, 0 .. shares − 1.
        shares: number of shares.
        excluded: true for users to leave out.

    Returns:
        Users in order of their ids.
    """
    groups = _row_groups(files)
    if sum(rows for _, _, rows in groups) <= ROWS_READ_BY_EVERY_WORKER:
        table = _read_groups(groups).sort_by("user_id")
        table = table.take(np.arange(share, len(table), shares))
    else:
        table = _read_groups(groups[share::shares]).sort_by("user_id")
    if excluded is not None:
        kept = [not excluded(user) for user in table["user_id"].to_pylist()]
        table = table.filter(pa.array(kept, pa.bool_()))
    return encoder.encode(table)


def distinct_values(files: Sequence[str], column: str) -> tuple[str, ...]:
    """Sorted distinct names in a list column of `histories`, read one row group at a time."""
    found: set[str] = set()
    for file, group, _ in _row_groups(files):
        rows = pq.ParquetFile(file).read_row_group(group, columns=[column])
        # A file written before the column existed has none of its names.
        if column in rows.column_names:
            found.update(pc.unique(pc.list_flatten(rows[column])).to_pylist())
    return tuple(sorted(found - {"", None}))


def event_vocabulary(files: Sequence[str]) -> Vocabulary:
    """Vocabulary of the event fields in files of `histories`, without items and attributes."""
    return Vocabulary.of_events(
        **{field.name: distinct_values(files, field.name) for field in EVENT_FIELDS}
    )


def _row_groups(files: Sequence[str]) -> list[tuple[str, int, int]]:
    """File, row group and rows, in the order of the files."""
    metadata = ((file, pq.ParquetFile(file).metadata) for file in files)
    return [
        (file, group, description.row_group(group).num_rows)
        for file, description in metadata
        for group in range(description.num_row_groups)
    ]


def _read_groups(groups: Sequence[tuple[str, int, int]]) -> pa.Table:
    tables = [
        pq.ParquetFile(file).read_row_group(group, columns=list(HISTORY_COLUMNS))
        for file, group, _ in groups
    ]
    return pa.concat_tables(tables, promote_options="default") if tables else _no_histories()


def _no_histories() -> pa.Table:
    kinds = {"user_id": pa.string(), "event_times": pa.list_(pa.timestamp("us"))}
    kinds["landed_days"] = pa.list_(pa.date32())
    return pa.table(
        {name: pa.array([], kinds.get(name, pa.list_(pa.string()))) for name in HISTORY_COLUMNS}
    )
