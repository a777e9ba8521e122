"""Delta tables: created once, replaced partition by partition, read with or without Spark.

Row order inside a table is not part of its contract. Writers sort small partitions by the
contract's key, so that two writes of equal rows give equal files, but a reader to whom
order matters sorts for itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import TableNotFoundError
from pyspark.sql import DataFrame, SparkSession

from grove.contracts import arrow_schema, delta_constraints, load_contract
from grove.datasets import DATASETS, Dataset, Layout
from grove.errors import InfrastructureError
from grove.runtime.conform import (
    Frame,
    conform_arrow,
    conform_spark,
    newest_of_each,
    rows_without,
    sort_keys,
)
from grove.runtime.locks import commit_lock
from grove.runtime.predicates import (
    Partition,
    Value,
    arrow_predicate,
    require_whole_partition,
    sql_predicate,
    values_of,
)
from grove.runtime.table_columns import widen_table
from grove.runtime.table_constraints import align_constraints

BYTES_PER_FILE = 128 * 1024 * 1024
"""Size, as Spark estimates it in memory, above which a partition gets another file."""


def create_tables(layout: Layout) -> None:
    """Create every table of the catalog with its contract's columns and constraints.

    Needs no JVM. A table that exists gets the nullable columns its contract has gained since.

    Raises:
        BugError: an existing table differs from its contract in any other way.
    """
    for dataset in DATASETS.values():
        with commit_lock(layout, dataset):
            _create_table(layout, dataset)


def _create_table(layout: Layout, dataset: Dataset) -> None:
    contract = load_contract(dataset)
    path = layout.table(dataset)
    if DeltaTable.is_deltatable(path):
        widen_table(open_table(layout, dataset), contract)
        align_constraints(open_table(layout, dataset), contract)
        return
    Path(path).mkdir(parents=True, exist_ok=True)
    table = DeltaTable.create(
        path,
        arrow_schema(contract),
        partition_by=list(dataset.partition_by),
        name=contract.name,
    )
    constraints = delta_constraints(contract)
    if constraints:
        table.alter.add_constraint(constraints)


def open_table(layout: Layout, dataset: Dataset) -> DeltaTable:
    """Open a table without a JVM.

    Raises:
        InfrastructureError: the table has not been created.
    """
    path = layout.table(dataset)
    try:
        return DeltaTable(path)
    except TableNotFoundError as error:
        raise InfrastructureError(
            "a table does not exist",
            where=path,
            expected=f"the Delta table of {dataset.name}",
            found="no table",
            next_step="run jobs/create_tables.py once; set-up does",
        ) from error


def read_spark(spark: SparkSession, layout: Layout, dataset: Dataset) -> DataFrame:
    """A table as a Spark frame; filter by partition before anything else."""
    return spark.read.format("delta").load(layout.table(dataset))


def read_arrow(
    layout: Layout,
    dataset: Dataset,
    *,
    columns: Sequence[str] | None = None,
    **equals: Value | Sequence[Value],
) -> pa.Table:
    """Rows of a table, held by this process, without a JVM.

    Args:
        layout: paths of the home folder.
        dataset: table to read.
        columns: names to read; none reads all.
        **equals: value per column, or a list of allowed values; partition columns skip files.

    Returns:
        The rows in no order, with the contract's types.
    """
    chosen = list(columns) if columns is not None else None
    rows = open_table(layout, dataset).to_pyarrow_dataset()
    return rows.to_table(columns=chosen, filter=arrow_predicate(equals))


def newest_rows_as_of(
    layout: Layout, dataset: Dataset, key: str, day: date, *, columns: Sequence[str] | None = None
) -> pa.Table:
    """The newest version of each row that landed by a day, ordered by key.

    Args:
        layout: paths of the home folder.
        dataset: table with one row per day and key: `items` or `users`.
        key: column that names the thing, for example `item_id`.
        day: last landing day that counts.
        columns: names to read besides key and `day`; none reads all.
    """
    chosen = None if columns is None else ["day", key, *columns]
    rows = open_table(layout, dataset).to_pyarrow_dataset()
    landed = rows.to_table(columns=chosen, filter=pc.field("day") <= pa.scalar(day))
    return newest_of_each(landed, key, by="day")


def replace_partition(frame: Frame, layout: Layout, dataset: Dataset, partition: Partition) -> None:
    """Replace a partition whole, in one commit; a failure leaves the old rows.

    Args:
        frame: all rows of the partition; every row must belong to it.
        layout: paths of the home folder.
        dataset: table to write.
        partition: a value, or a list of values, for every partition column. With a list
            of days, a whole range is replaced in one pass.

    Raises:
        InfrastructureError: the frame or the partition does not fit the contract.
    """
    require_whole_partition(dataset, partition)
    condition = sql_predicate(partition)
    if isinstance(frame, pa.Table):
        table = _ordered_table(frame, dataset)
        with _committing(layout, dataset) as path:
            write_deltalake(path, table, mode="overwrite", predicate=condition)
        return
    ordered = _ordered_frame(frame, dataset, partition)
    with _committing(layout, dataset) as path:
        writer = ordered.write.format("delta").mode("overwrite")
        writer.option("replaceWhere", condition).save(path)


def insert_missing(
    frame: Frame, layout: Layout, dataset: Dataset, key: tuple[str, ...], partition: Partition
) -> None:
    """Append the rows whose key the partition does not hold yet; rows there stay untouched.

    Args:
        frame: rows to add; one per key.
        layout: paths of the home folder.
        dataset: table to write.
        key: columns that identify a row within the partition.
        partition: a value for every partition column.

    Raises:
        InfrastructureError: the frame or the partition does not fit the contract.
    """
    require_whole_partition(dataset, partition)
    with _committing(layout, dataset) as path:
        if isinstance(frame, pa.Table):
            known = read_arrow(layout, dataset, columns=key, **partition)
            unseen_rows = _ordered_table(rows_without(frame, known, key), dataset)
            if unseen_rows.num_rows:
                write_deltalake(path, unseen_rows, mode="append")
            return
        present = read_spark(frame.sparkSession, layout, dataset).where(sql_predicate(partition))
        unseen = frame.join(present.select(*key), list(key), "left_anti")
        ordered = _ordered_frame(unseen, dataset, partition)
        ordered.write.format("delta").mode("append").save(path)


@contextmanager
def _committing(layout: Layout, dataset: Dataset) -> Iterator[str]:
    with commit_lock(layout, dataset):
        yield open_table(layout, dataset).table_uri


def _ordered_table(table: pa.Table, dataset: Dataset) -> pa.Table:
    keys = [(name, "ascending") for name in sort_keys(dataset)]
    conformed = conform_arrow(table, dataset)
    # Comments stay out: a table keeps those it was created with, and would reject reworded ones.
    plain = pa.schema([field.remove_metadata() for field in conformed.schema])
    return conformed.cast(plain).sort_by(keys)


def _ordered_frame(frame: DataFrame, dataset: Dataset, partition: Partition) -> DataFrame:
    """Rows within as few files as their size allows, the same at every run.

    Rows of one file are sorted by key. A partition of several files keeps the order it came in:
    to shuffle and sort it costs as much as to write it, and no reader asks for it.
    """
    conformed = conform_spark(frame, dataset)
    files = _file_count(conformed, partition)
    if any(len(values_of(value)) > 1 for value in partition.values()):
        # Each partition goes to a single task, hence to a single file.
        by_partition = conformed.repartition(files, *dataset.partition_by)
        return by_partition.sortWithinPartitions(*sort_keys(dataset))
    if files > 1:
        return conformed.coalesce(files)
    return conformed.repartition(1).sortWithinPartitions(*sort_keys(dataset))


def _file_count(frame: DataFrame, partition: Partition) -> int:
    most = int(frame.sparkSession.conf.get("spark.sql.shuffle.partitions", "200"))
    statistics = frame._jdf.queryExecution().optimizedPlan().stats()
    by_size = -(-int(statistics.sizeInBytes()) // BYTES_PER_FILE)
    by_partitions = max(len(values_of(value)) for value in partition.values())
    return min(most, max(1, by_size, by_partitions))


def partition_files(layout: Layout, dataset: Dataset, partition: Partition) -> list[str]:
    """Paths of the Parquet files that hold a partition now, sorted."""
    table = open_table(layout, dataset)
    # The addresses are quoted as in a URI: a home's folder may have a space or an umlaut.
    return sorted(map(unquote, table.file_uris(file_pruning_predicate=sql_predicate(partition))))


def partition_days(layout: Layout, dataset: Dataset) -> list[date]:
    """Days that have rows in a table, in order."""
    partitions = open_table(layout, dataset).partitions()
    return sorted({date.fromisoformat(str(partition["day"])) for partition in partitions})


def table_versions(layout: Layout) -> dict[str, int]:
    """Delta version of every table, by name of the dataset."""
    return {name: open_table(layout, dataset).version() for name, dataset in DATASETS.items()}
