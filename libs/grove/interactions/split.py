"""Split of parsed rows into the rows of a table and the rows of the quarantine."""

from __future__ import annotations

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import DataFrame

from grove.contracts import Contract, spark_schema
from grove.interactions.duplicates import Duplicates
from grove.interactions.parsing import ParsedFeed
from grove.landed import columns as names


def accepted_rows(parsed: ParsedFeed, duplicates: Duplicates) -> DataFrame:
    """Rows that are neither rejected nor duplicates, with the day and the feed's columns."""
    valid = parsed.rows.where(F.col(names.REASON).isNull())
    return duplicates.drop_from(valid).drop(*names.BOOKKEEPING)


def as_table(rows: DataFrame, table: Contract) -> DataFrame:
    """Select a table's columns, in its order and types."""
    return rows.select(*(F.col(field.name).cast(field.dataType) for field in spark_schema(table)))


def quarantined_rows(parsed: ParsedFeed) -> DataFrame:
    """Rejected rows as they landed, with feed, reason, file and line number."""
    rejected = parsed.rows.where(F.col(names.REASON).isNotNull())
    return rejected.select(
        names.DAY,
        F.lit(parsed.feed).alias("feed"),
        F.col(names.REASON).alias("reason"),
        F.col(names.FILE).alias("file"),
        F.col(names.LINE).alias("line"),
        F.col(names.TEXT).alias("raw"),
    )
