"""Spark schema of a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grove.contracts.contract import Column, Contract

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructField, StructType


def spark_schema(contract: Contract) -> StructType:
    """The contract's columns as a Spark schema, in order, with nullability and comments."""
    from pyspark.sql.types import StructType

    return StructType([_field(column) for column in contract.columns])


def _field(column: Column) -> StructField:
    from pyspark.sql.types import StructField

    return StructField(
        column.name,
        _data_type(column.physical_type),
        nullable=column.nullable,
        metadata={"comment": column.meaning},
    )


def _data_type(physical_type: str) -> DataType:
    # Spark can parse type names itself, but only with a session running.
    from pyspark.sql import types

    if physical_type.startswith("array<"):
        element = _data_type(physical_type.removeprefix("array<").removesuffix(">"))
        return types.ArrayType(element)
    return {
        "string": types.StringType(),
        "boolean": types.BooleanType(),
        "int": types.IntegerType(),
        "bigint": types.LongType(),
        "float": types.FloatType(),
        "double": types.DoubleType(),
        "date": types.DateType(),
        "timestamp": types.TimestampType(),
    }[physical_type]
