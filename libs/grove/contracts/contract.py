"""Contract of a dataset: columns, key, checks, owner and retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fail", "warn"]
CheckKind = Literal[
    "not_null", "unique", "values", "range", "pattern", "length", "items", "norm", "same_length"
]
"""`length` counts characters, `items` array elements; `norm` is the L2 norm of an array."""

LOGICAL_TYPES: dict[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"int", "bigint"}),
    "number": frozenset({"float", "double"}),
    "date": frozenset({"date", "string"}),
    "timestamp": frozenset({"timestamp", "string"}),
    "array": frozenset(
        f"array<{element}>" for element in ("string", "int", "float", "date", "timestamp")
    ),
}
"""Physical types allowed for a logical type; feeds hold dates and times as ISO-8601 strings."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: name, types, nullability, meaning and unit."""

    name: str
    logical_type: str
    physical_type: str
    """Spark SQL name of the type: string, boolean, int, bigint, float, double, date, timestamp,
    or an array of one of these."""
    nullable: bool
    meaning: str
    unit: str | None = None
    """Unit of a number; a number without a unit has `none`."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One condition on the rows of a dataset.

    A null value violates only `not_null`; every other kind tests the values that are present.
    """

    name: str
    kind: CheckKind
    severity: Severity
    columns: tuple[str, ...]
    """The tested columns: one, or the key of `unique`, or the two arrays of `same_length`."""
    values: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    tolerated_share: float = 0.0
    """Share of the tested rows, 0 to 1, that may violate the condition before the check fails."""

    @property
    def column(self) -> str | None:
        """The column to inspect after a failure; none for a key of several columns."""
        return self.columns[0] if self.kind != "unique" or len(self.columns) == 1 else None

    @property
    def expected(self) -> str:
        """The condition in words, for verdicts and documentation."""
        share = f" in at least {1 - self.tolerated_share:.0%}" if self.tolerated_share else ""
        return self._condition() + share

    def _condition(self) -> str:
        if self.kind == "not_null":
            return "no missing value"
        if self.kind == "unique":
            return f"one row per {', '.join(self.columns)}"
        if self.kind == "values":
            return f"one of {', '.join(self.values)}"
        if self.kind == "pattern":
            return f"text that matches {self.pattern}"
        if self.kind == "same_length":
            return f"as many elements as {self.columns[1]}"
        noun = {"range": "a value", "length": "characters", "items": "elements", "norm": "L2 norm"}
        return f"{noun[self.kind]} {_interval(self.minimum, self.maximum)}"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """All guarantees of one version of a dataset to its readers."""

    name: str
    version: int
    description: str
    owner: str
    grain: str
    is_feed: bool
    """A feed comes from outside: an error in it is a data error, never an internal error."""
    partition_by: tuple[str, ...]
    retention_days: int | None
    """Days for which a partition is kept; none: without limit."""
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def must_have(self) -> tuple[str, ...]:
        """Columns whose absence is an error: of a feed the required ones, of a table all."""
        return tuple(
            column.name for column in self.columns if not (self.is_feed and column.nullable)
        )

    def column(self, name: str) -> Column:
        """The column called `name`; a `KeyError` where there is none."""
        return {column.name: column for column in self.columns}[name]


def _interval(minimum: float | None, maximum: float | None) -> str:
    if maximum is None:
        return f"at least {minimum:g}"
    if minimum is None:
        return f"at most {maximum:g}"
    return f"between {minimum:g} and {maximum:g}"
