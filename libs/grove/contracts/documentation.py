"""The table of datasets in `schemas/README.md`, generated from the contracts."""

from __future__ import annotations

from pathlib import Path

from grove.contracts.contract import Contract
from grove.contracts.load import load_contracts

_HEADER = (
    "| dataset | one row is | partition | days kept | owner | columns | checks (fail, warn) |\n"
    "|---|---|---|--:|---|--:|--:|"
)


def documentation_table(folder: Path | str | None = None) -> str:
    """A Markdown table with one line per contract, tables first, then feeds."""
    lines = [_line(contract) for contract in load_contracts(folder).values()]
    return "\n".join([_HEADER, *lines])


def _line(contract: Contract) -> str:
    file = f"{contract.name}.v{contract.version}.yaml"
    fails = sum(check.severity == "fail" for check in contract.checks)
    cells = (
        f"[`{contract.name}`]({file})",
        contract.grain,
        ", ".join(f"`{column}`" for column in contract.partition_by) or "landing folder",
        _retention(contract),
        contract.owner,
        str(len(contract.columns)),
        f"{fails}, {len(contract.checks) - fails}",
    )
    return f"| {' | '.join(cells)} |"


def _retention(contract: Contract) -> str:
    if contract.is_feed:
        return "a setting"
    return str(contract.retention_days or "forever")
