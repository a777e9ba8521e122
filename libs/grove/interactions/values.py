"""Conversion of feed values to table values: times, dates, integers, normalised queries."""

from __future__ import annotations

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column

from grove.contracts.contract import Column as ContractColumn

_DATE_CHARACTERS = 10
_TIME_CHARACTERS = 19
_ICU = "com.ibm.icu.text.Normalizer"


def typed_value(column: ContractColumn) -> Column:
    """A column of `landed` in its logical type; null if the value does not fit.

    Spark's cast accepts more than ISO-8601: `08:01` would become a time on the day of the run.
    Only values that start like `2026-11-19T08:01:02` are cast; a time without a zone is UTC.
    """
    value = F.col(column.name)
    if column.logical_type == "timestamp":
        is_time = (F.length(value) >= _TIME_CHARACTERS) & value.substr(11, 1).isin("T", " ")
        return F.when(is_time & _starts_like_a_date(value), value.try_cast("timestamp"))
    if column.logical_type == "date":
        is_date = F.length(value) == _DATE_CHARACTERS
        return F.when(is_date & _starts_like_a_date(value), value.try_cast("date"))
    if column.logical_type == "integer":
        return value.try_cast(column.physical_type)
    return normalised_query(value) if column.name == "query" else value


def is_whole(column: ContractColumn) -> Column:
    """Whether a number read as double is an integer in the range of its type."""
    return F.coalesce(typed_value(column) == F.col(column.name), F.col(column.name).isNull())


def normalised_query(query: Column) -> Column:
    """A search keyword in its normal form; a blank one becomes null.

    Unicode NFKC, lower case, single spaces. Spark SQL has no NFKC, and a Python worker would
    take seconds. The ICU library, which Spark bundles for its collations, has it. Text with one
    byte per character is already NFKC and skips the call.
    """
    # No NULL in the call: reflection would pass it to Java.
    text = F.coalesce(query, F.lit(""))
    nfkc = F.reflect(F.lit(_ICU), F.lit("compose"), text, F.lit(True))
    is_ascii = F.octet_length(text) == F.length(text)
    lower = F.lower(F.when(is_ascii, text).otherwise(nfkc))
    return F.nullif(F.trim(F.regexp_replace(lower, r"\s+", " ")), F.lit(""))


def _starts_like_a_date(value: Column) -> Column:
    return (value.substr(5, 1) == "-") & (value.substr(8, 1) == "-")
