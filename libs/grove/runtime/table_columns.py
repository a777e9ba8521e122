"""Compare a table's columns with its contract, and add the nullable ones it lacks.

A new nullable column is a compatible change: rows written before read as null in it. Any other
difference is an incompatible one, which needs a new version of the contract and so a new table.
The order of the columns is not part of a contract.
"""

from __future__ import annotations

from deltalake import DeltaTable, Field, Schema

from grove.contracts import Contract, arrow_schema
from grove.errors import BugError


def widen_table(table: DeltaTable, contract: Contract) -> tuple[str, ...]:
    """Add the contract's new nullable columns to a table.

    Old rows are not rewritten. A table that has every column is left as it is.

    Args:
        table: open, at its newest version; no other process may commit to it meanwhile.
        contract: of the table.

    Returns:
        Names of the added columns, in the contract's order.

    Raises:
        BugError: a column was removed or has another type or nullability, or an added one is
            required.
    """
    expected = _fields(Schema.from_arrow(arrow_schema(contract)))
    found = _fields(table.schema())
    added = tuple(name for name in expected if name not in found)
    _require_compatible(table, contract, expected, found)
    if added:
        table.alter.add_columns([expected[name] for name in added])
    return added


def _fields(schema: Schema) -> dict[str, Field]:
    return {field.name: field for field in schema.fields}


def _require_compatible(
    table: DeltaTable, contract: Contract, expected: dict[str, Field], found: dict[str, Field]
) -> None:
    differing = [
        name
        for name in {**expected, **found}
        if not _is_compatible(expected.get(name), found.get(name))
    ]
    if differing:
        raise BugError(
            "a table's columns contradict its contract",
            where=table.table_uri,
            expected="; ".join(_in_words(name, expected.get(name)) for name in differing),
            found="; ".join(_in_words(name, found.get(name)) for name in differing),
            next_step=f"undo the change of {contract.name}.v{contract.version}.yaml, or publish it"
            " as a new version of the contract; only nullable columns can be added",
        )


def _is_compatible(expected: Field | None, found: Field | None) -> bool:
    if expected is None:
        return False
    if found is None:
        return bool(expected.nullable)
    return bool(expected.type == found.type and expected.nullable == found.nullable)


def _in_words(name: str, field: Field | None) -> str:
    if field is None:
        return f"no column {name}"
    kind = getattr(field.type, "type", field.type.to_json())
    return f"{name} {kind}{'' if field.nullable else ' not null'}"
