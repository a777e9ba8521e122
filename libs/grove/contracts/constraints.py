"""CHECK constraints of a contract, which Delta enforces on every write.

Spark SQL and DataFusion (in `deltalake`) both parse them, so they use only syntax that both
share. Keys and patterns are excluded: a constraint applies to one row, and the two dialects of
regular expressions differ. `NOT NULL` is part of the schema.
"""

from __future__ import annotations

from grove.contracts.contract import Check, Contract

# DataFusion lacks Spark's `size`, and delta-rs cannot write `length` back into the table; both
# engines support these functions.
_MEASURES = {"range": "{}", "length": "character_length({})", "items": "cardinality({})"}


def delta_constraints(contract: Contract) -> dict[str, str]:
    """SQL conditions that every row must satisfy, by name of the check.

    Only `fail` checks without a tolerated share can be constraints. A null value must be
    allowed explicitly: Spark rejects a row whose condition is NULL.

    Returns:
        Constraint name → condition, valid in Spark SQL and in DataFusion.
    """
    return {
        check.name: _condition(check, nullable=contract.column(check.columns[0]).nullable)
        for check in contract.checks
        if is_row_check(check)
    }


def is_row_check(check: Check) -> bool:
    """Whether a check concerns single rows and tolerates none, so that it can be a constraint."""
    by_row = check.kind in _MEASURES or check.kind == "values"
    return by_row and check.severity == "fail" and not check.tolerated_share


def _condition(check: Check, *, nullable: bool) -> str:
    column = check.columns[0]
    condition = _condition_on_value(check, column)
    return f"{column} IS NULL OR ({condition})" if nullable else condition


def _condition_on_value(check: Check, column: str) -> str:
    if check.kind == "values":
        return f"{column} IN ({', '.join(_literal(value) for value in check.values)})"
    measure = _MEASURES[check.kind].format(column)
    bounds = ((">=", check.minimum), ("<=", check.maximum))
    return " AND ".join(
        f"{measure} {sign} {bound:.12g}" for sign, bound in bounds if bound is not None
    )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
