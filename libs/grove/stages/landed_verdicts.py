"""Verdicts of ingested tables: of their contracts, and of tables without a feed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from grove.contracts import CheckResult, Verdict, load_contract
from grove.datasets import Dataset
from grove.quality import validate_dataset
from grove.runtime.conform import Frame, rows_of_days


def undeclared_verdict(dataset: Dataset) -> Verdict:
    """A gate reads a verdict of every table, so a table that is absent by design needs one too."""
    result = CheckResult(
        name="feed_declared",
        severity="warn",
        passed=True,
        expected=f"rows only where the source declares a feed for {dataset.name}",
        observed="the source declares none",
    )
    return Verdict(dataset.name, (result,))


def contract_verdicts(
    dataset: Dataset, rows: Frame, days: Sequence[date], docs_folder: str
) -> dict[date, Verdict]:
    """One pass over all days; only if a check failed in it is each day validated separately."""
    contract = load_contract(dataset)
    name = " to ".join(sorted({str(days[0]), str(days[-1])}))
    together = validate_dataset(
        contract, rows, run_name=f"{name} ingest_landing", docs_folder=docs_folder
    )
    if (together.failures or together.warnings) and len(days) > 1:
        return {
            day: validate_dataset(
                contract, rows_of_days(rows, [day]), run_name=f"{day} ingest_landing"
            )
            for day in days
        }
    return dict.fromkeys(days, replace(together, seconds=together.seconds / len(days)))
