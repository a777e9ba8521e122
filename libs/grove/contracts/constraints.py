"""Contract → CHECK constraints that Delta itself enforces on every write.

Two engines read them, Spark SQL and DataFusion (under `deltalake`), so they use only
what both spell alike. Keys and patterns stay out: a constraint sees one row, and the
regular expressions of the two differ. `NOT NULL` comes with the schema.
"""

from __future__ import annotations

from grove.contracts.contract import Check, Contract

# DataFusion does not know Spark's `size`, and delta-rs cannot write `length` back into the
# table; both engines know these.
_MEASURES = {"range": "{}", "length": "character_length({})", "items": "cardinality({})"}


def delta_constraints(contract: Contract) -> dict[str, str]:
    """SQL conditions every row must meet, by name of the check.

    Only `fail` checks without a tolerated share can be constraints. A missing value must
    be let through by name: Spark refuses a row whose condition is NULL.

    Returns:
        Constraint name → condition, valid in Spark SQL and in DataFusion.
    """
    return {
        check.name: _condition(check, nullable=contract.column(check.columns[0]).nullable)
        for check in contract.checks
        if check.severity == "fail"
        and not check.tolerated_share
        and (check.kind in _MEASURES or check.kind == "values")
    }


def _condition(check: Check, *, nullable: bool) -> str:
    column = check.columns[0]
    promise = _promise(check, column)
    return f"{column} IS NULL OR ({promise})" if nullable else promise


def _promise(check: Check, column: str) -> str:
    if check.kind == "values":
        return f"{column} IN ({', '.join(_literal(value) for value in check.values)})"
    measure = _MEASURES[check.kind].format(column)
    bounds = ((">=", check.minimum), ("<=", check.maximum))
    return " AND ".join(
        f"{measure} {sign} {bound:.12g}" for sign, bound in bounds if bound is not None
    )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
