"""What data must look like: ODCS contracts and what follows from them.

Importing this package is cheap; Spark and Arrow are loaded by the functions that return
their types.
"""

from grove.contracts.arrow_types import arrow_schema
from grove.contracts.constraints import delta_constraints
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
    "load_contract",
    "load_contracts",
    "spark_schema",
    "verdict_table",
]
