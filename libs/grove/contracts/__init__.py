"""Data contracts (ODCS) and what is derived from them: schemas, constraints, verdicts.

Importing this package is cheap: functions that return Spark or Arrow types load these libraries.
"""

from grove.contracts.arrow_types import arrow_schema
from grove.contracts.constraints import delta_constraints, is_row_check
from grove.contracts.contract import Check, Column, Contract
from grove.contracts.documentation import documentation_table
from grove.contracts.load import feed_dataset, load_contract, load_contracts
from grove.contracts.spark_types import spark_schema
from grove.contracts.verdict import CheckResult, Verdict, verdict_table

__all__ = [
    "Check",
    "CheckResult",
    "Column",
    "Contract",
    "Verdict",
    "arrow_schema",
    "delta_constraints",
    "documentation_table",
    "feed_dataset",
    "is_row_check",
    "load_contract",
    "load_contracts",
    "spark_schema",
    "verdict_table",
]
