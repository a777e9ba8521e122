"""Landed files as a Spark frame.

The files are read by `grove.landed`, in this process if they are small and by Spark's workers if
they are not; the rows are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from grove.landed import (
    BLOCK_BYTES,
    FeedReader,
    LandedFile,
    batch_schema,
    cut_blocks,
    read_table,
    task_of_blocks,
)

BYTES_AT_HAND = 32 * 1024 * 1024
"""Feeds of up to this size are read by this process: to start workers would take longer."""


@dataclass(frozen=True, kw_only=True)
class LandedFeedFiles:
    """The files of one feed, of one or more days, in the order of landing."""

    feed: str
    files: Sequence[LandedFile]


def read_landed(spark: SparkSession, files: Sequence[LandedFile], reader: FeedReader) -> DataFrame:
    """Read a feed's files into typed rows, each valid or with the reason of its rejection.

    Args:
        spark: open session.
        files: of one feed, in the order of landing.
        reader: of the feed.

    Returns:
        The columns of `grove.landed.batch_schema`.

    Raises:
        DataError: a file is no Parquet file, or the header of one is not of this feed.
    """
    blocks = cut_blocks(files, reader.contract.column_names)
    schema = batch_schema(reader.contract, reader.table)
    size_bytes = sum(file.size_bytes for file in files)
    if size_bytes <= BYTES_AT_HAND:
        table = read_table(reader, blocks)
        if table.num_rows:
            return spark.createDataFrame(table)
        return spark.createDataFrame([], from_arrow_schema(schema))

    # Many small files share a task; a whole block has one of its own.
    tasks = min(len(blocks), size_bytes // BLOCK_BYTES + spark.sparkContext.defaultParallelism)
    numbers = spark.range(0, len(blocks), 1, numPartitions=tasks)
    return numbers.mapInArrow(task_of_blocks(reader, blocks), from_arrow_schema(schema))
