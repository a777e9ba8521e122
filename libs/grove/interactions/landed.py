"""Reading of landed files into rows with the types of the feed's contract, for every file format.

JSON lines are read as text, so that a line that is not JSON or not UTF-8 can be quarantined
unchanged. Line numbers are not requested from Spark, because that would read each file in one
task. Instead, a row has its file, the block its task read, and an ascending number, and `parsing`
adds the lines of the blocks before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql.types import ArrayType, DoubleType, StringType, StructField, StructType

from grove.contracts import Contract
from grove.interactions import columns as names

MALFORMED = "malformed"
NOT_UTF8 = "not_utf8"
WRONG_TYPE = "wrong_type"

_CORRUPT = "landed_corrupt"
_UNREAD = "landed_unread"
_SAMPLE_EVERY = 64
"""Field names are collected from every n-th row, because this parses a row again."""
_FORMAT_BITS = 61
_LIST_SEPARATOR = r"\|"
"""CSV has no lists; `a|b` is a list of two elements."""


@dataclass(frozen=True, kw_only=True)
class LandedFiles:
    """The files of one feed, of one or more days."""

    feed: str
    folder: str
    """Parent of the `day=YYYY-MM-DD` folders, whose names give the day of a row."""
    paths: Sequence[str]

    def ending(self, ending: str) -> list[str]:
        """Paths of one format."""
        return [path for path in self.paths if path.endswith(ending)]


def read_landed(spark: SparkSession, files: LandedFiles, contract: Contract) -> DataFrame:
    """Read a feed's files into rows with the types of its contract.

    Numbers are read as double, including integers (`3.0` is a position), and dates and times
    stay text: `reasons` decides on both, and gives an invalid row its reason.

    Args:
        spark: open session.
        files: at least one file, of any of the three formats.
        contract: contract of the feed.

    Returns:
        The bookkeeping columns except `landed_reason`, `day`, and the contract's columns, all
        nullable; `landed_defect` is `not_utf8`, `malformed`, `wrong_type` or null.
    """
    readers = {".jsonl": _read_json_lines, ".csv": _read_csv, ".parquet": _read_parquet}
    frames = [
        read(spark, files, contract).withColumn(
            # Spark numbers the rows of each reader from zero.
            names.ROW_ID,
            F.col(names.ROW_ID) + F.lit(format_number << _FORMAT_BITS),
        )
        for format_number, (ending, read) in enumerate(readers.items())
        if files.ending(ending)
    ]
    return reduce(DataFrame.unionByName, frames)


def reading_schema(contract: Contract) -> StructType:
    """Types for reading a feed's columns: text, double, or a list of texts."""
    kinds = {"int": DoubleType(), "bigint": DoubleType(), "double": DoubleType()}
    return StructType(
        [
            StructField(
                column.name,
                ArrayType(StringType())
                if column.physical_type.startswith("array")
                else kinds.get(column.physical_type, StringType()),
            )
            for column in contract.columns
        ]
    )


def _read_json_lines(spark: SparkSession, files: LandedFiles, contract: Contract) -> DataFrame:
    lines = _below(spark, files).text(files.ending(".jsonl")).select(*_position(0), "value")
    schema = reading_schema(contract).add(_CORRUPT, "string")
    parsed = F.from_json("value", schema, {"columnNameOfCorruptRecord": _CORRUPT})
    unread = F.col("parsed").isNull() | F.col(f"parsed.{_CORRUPT}").isNotNull()
    rows = lines.withColumn("parsed", parsed).select(
        *lines.columns, "parsed.*", unread.alias(_UNREAD)
    )
    # Only for rows that Spark could not read in full, because it parses them again.
    is_object = F.expr("json_object_keys(value)").isNotNull()
    defect = F.when(~F.is_valid_utf8("value"), NOT_UTF8).when(
        F.col(_UNREAD), F.when(is_object, WRONG_TYPE).otherwise(MALFORMED)
    )
    sampled = F.col(names.ROW_ID) % _SAMPLE_EVERY == 0
    return rows.select(
        *_carried(contract),
        defect.alias(names.DEFECT),
        F.make_valid_utf8("value").alias(names.TEXT),
        F.when(sampled, F.json_object_keys("value")).alias(names.KEYS),
    )


def _read_csv(spark: SparkSession, files: LandedFiles, contract: Contract) -> DataFrame:
    reader = _below(spark, files).option("header", value=True).option("enforceSchema", value=False)
    header = reader.csv(files.ending(".csv")).drop(names.DAY).schema
    rows = reader.schema(header.add(_CORRUPT, "string")).option(
        "columnNameOfCorruptRecord", _CORRUPT
    )
    return _read_columns(rows.csv(files.ending(".csv")), contract, header_lines=1)


def _read_parquet(spark: SparkSession, files: LandedFiles, contract: Contract) -> DataFrame:
    reader = _below(spark, files).option("mergeSchema", value=True)
    rows = reader.parquet(*files.ending(".parquet"))
    return _read_columns(rows.withColumn(_CORRUPT, F.lit(None)), contract, header_lines=0)


def _read_columns(rows: DataFrame, contract: Contract, *, header_lines: int) -> DataFrame:
    """Cast the columns of a columnar format; a failed cast is a wrong type."""
    found = [name for name in rows.columns if name not in (names.DAY, _CORRUPT)]
    typed = {
        field.name: _cast(rows, field) if field.name in found else F.lit(None).cast(field.dataType)
        for field in reading_schema(contract)
    }
    misfits = [
        F.col(name).isNotNull() & column.isNull() for name, column in typed.items() if name in found
    ]
    as_text = F.to_json(F.struct(*found))
    # The reader has already decoded the bytes; invalid UTF-8 is U+FFFD here.
    defect = (
        F.when(as_text.contains("\N{REPLACEMENT CHARACTER}"), NOT_UTF8)
        .when(F.col(_CORRUPT).isNotNull(), MALFORMED)
        .when(reduce(Column.__or__, misfits, F.lit(False)), WRONG_TYPE)
    )
    return rows.select(
        *_position(header_lines),
        *(column.alias(name) for name, column in typed.items()),
        defect.alias(names.DEFECT),
        F.coalesce(F.col(_CORRUPT), as_text).alias(names.TEXT),
        F.array(*map(F.lit, found)).alias(names.KEYS),
    )


def _cast(rows: DataFrame, field: StructField) -> Column:
    column, found = F.col(field.name), rows.schema[field.name].dataType
    if isinstance(field.dataType, ArrayType) and isinstance(found, StringType):
        return F.split(column, _LIST_SEPARATOR)
    return column.try_cast(field.dataType)


def _below(spark: SparkSession, files: LandedFiles) -> DataFrameReader:
    return spark.read.option("basePath", files.folder)


def _position(header_lines: int) -> tuple[Column, ...]:
    return (
        F.col(names.DAY).cast("date").alias(names.DAY),
        F.col("_metadata.file_name").alias(names.FILE),
        F.col("_metadata.file_block_start").alias(names.BLOCK),
        F.monotonically_increasing_id().alias(names.ROW_ID),
        F.lit(header_lines).alias(names.HEADER_LINES),
    )


def _carried(contract: Contract) -> tuple[str, ...]:
    return (*names.POSITION, names.HEADER_LINES, *contract.column_names)
