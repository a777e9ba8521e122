"""Arrow schema of a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grove.contracts.contract import Contract

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_schema(contract: Contract) -> pa.Schema:
    """The contract's columns as an Arrow schema, in order; timestamps are microseconds in UTC."""
    import pyarrow as pa

    return pa.schema(
        [
            pa.field(
                column.name,
                _data_type(column.physical_type),
                nullable=column.nullable,
                metadata={"comment": column.meaning},
            )
            for column in contract.columns
        ]
    )


def _data_type(physical_type: str) -> pa.DataType:
    import pyarrow as pa

    if physical_type.startswith("array<"):
        # Delta and Parquet call the element of a list `element`; Arrow's own default is `item`.
        inner = _data_type(physical_type.removeprefix("array<").removesuffix(">"))
        return pa.list_(pa.field("element", inner))
    return {
        "string": pa.string(),
        "boolean": pa.bool_(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }[physical_type]
