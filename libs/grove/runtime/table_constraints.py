"""Bring the CHECK constraints of an existing table to those of its contract.

A contract may allow more values than before, as when a vector model is added, or check a new
column. Delta holds the conditions that were valid when the table was created, and would reject
what the contract now allows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping

from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from grove.contracts import Contract, arrow_schema, delta_constraints
from grove.errors import BugError

_PREFIX = "delta.constraints."


def align_constraints(table: DeltaTable, contract: Contract) -> tuple[str, ...]:
    """Drop constraints that the contract no longer has, and add those the table lacks.

    A condition that changed is dropped and added. A process that ends in between leaves a table
    without it, which the next call notices.

    Args:
        table: with all columns of the contract; no other process may commit to it meanwhile.
        contract: of the table.

    Returns:
        Names of the constraints that changed, in alphabetical order.

    Raises:
        BugError: rows of the table violate a condition of the contract; the table keeps its
            former condition.
    """
    found, expected = _stored(table), _as_stored(contract)
    changed = sorted(
        name for name in {**found, **expected} if found.get(name) != expected.get(name)
    )
    for name in changed:
        if name in found:
            table.alter.drop_constraint(name)
        if name in expected:
            _add(table, contract, name, former=found.get(name))
    return tuple(changed)


def _add(table: DeltaTable, contract: Contract, name: str, *, former: str | None) -> None:
    condition = delta_constraints(contract)[name]
    try:
        table.alter.add_constraint({name: condition})
    except DeltaError as error:
        if former is not None:
            table.alter.add_constraint({name: former})
        raise BugError(
            "rows of a table contradict its contract",
            where=f"{table.table_uri}, check {name}",
            expected=condition,
            found=str(error),
            next_step=f"undo the change of {contract.name}.v{contract.version}.yaml, or publish it"
            " as a new version of the contract; a check may only become wider",
        ) from error


def _stored(table: DeltaTable) -> dict[str, str]:
    """Conditions by name, in the form in which Delta keeps them."""
    configuration: Mapping[str, str] = table.metadata().configuration
    return {
        key.removeprefix(_PREFIX): value
        for key, value in configuration.items()
        if key.startswith(_PREFIX)
    }


def _as_stored(contract: Contract) -> dict[str, str]:
    """The contract's conditions in that form, which is not that of the contract.

    `a IN ('x', 'y')` is kept as `a = 'x' OR a = 'y'`; only the library knows all such rules, so
    an empty table of the contract is asked.
    """
    constraints = delta_constraints(contract)
    if not constraints:
        return {}
    with tempfile.TemporaryDirectory(prefix="grove-contract-") as folder:
        table = DeltaTable.create(folder, arrow_schema(contract))
        table.alter.add_constraint(constraints)
        return _stored(DeltaTable(folder))
