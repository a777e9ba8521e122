"""Loading of the contracts in `schemas/*.yaml`, once per process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from grove.contracts.contract import Contract
from grove.contracts.odcs import read_contract
from grove.contracts.problems import Problems
from grove.datasets import DATASETS, FEEDS, Dataset
from grove.errors import SettingsError

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"


def feed_dataset(feed: str) -> Dataset:
    """The landed files of a feed as a dataset, so that a feed has a contract as a table has.

    Example:
        >>> feed_dataset("events").contract_file
        'feed_events.v1.yaml'
    """
    return Dataset(name=f"feed_{feed}", partition_by=(), written_by=("land_source",))


def load_contract(dataset: Dataset, folder: Path | str | None = None) -> Contract:
    """Read the contract of a dataset.

    Args:
        dataset: a table of the catalog, or `feed_dataset(feed)`.
        folder: where the contract files are; none: the `schemas/` of this checkout.

    Raises:
        SettingsError: the file is missing or invalid; one message lists all of its problems.
    """
    contract = _read(Path(folder or SCHEMAS) / dataset.contract_file)
    found = (contract.name, contract.version, contract.partition_by)
    expected = (dataset.name, dataset.version, dataset.partition_by)
    if found != expected:
        raise SettingsError(
            "a contract does not describe its dataset",
            where=dataset.contract_file,
            expected=f"name, version and partition {expected}, as in grove.datasets",
            found=str(found),
            next_step="correct the contract, or the catalog",
        )
    return contract


def load_contracts(folder: Path | str | None = None) -> dict[str, Contract]:
    """Every contract by name: the tables in catalog order, then the feeds."""
    datasets = (*DATASETS.values(), *(feed_dataset(feed) for feed in FEEDS))
    return {dataset.name: load_contract(dataset, folder) for dataset in datasets}


@cache
def _read(file: Path) -> Contract:
    problems = Problems()
    contract = read_contract(_read_mapping(file), problems)
    if problems.sentences:
        raise SettingsError(
            f"a contract has {len(problems.sentences)} problems",
            where=str(file),
            expected="ODCS v3.1.0 in the form schemas/README.md explains",
            found="; ".join(problems.sentences),
            next_step="correct the file; every problem is listed above",
        )
    return contract


def _read_mapping(file: Path) -> dict[str, Any]:
    if not file.is_file():
        raise SettingsError(
            "no contract file",
            where=str(file),
            expected="one ODCS file per dataset and version",
            found="nothing",
            next_step="write the contract; schemas/README.md explains the form",
        )
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise _not_a_mapping(file, str(error)) from error
    if not isinstance(values, dict):
        raise _not_a_mapping(file, type(values).__name__)
    return values


def _not_a_mapping(file: Path, found: str) -> SettingsError:
    return SettingsError(
        "a contract is not a YAML mapping",
        where=str(file),
        expected="the keys of ODCS v3.1.0",
        found=found,
        next_step="correct the file; schemas/README.md explains the form",
    )
