from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from grove.contracts import feed_dataset, load_contract
from grove.contracts.load import SCHEMAS
from grove.datasets import INTERACTIONS, METRICS
from grove.errors import SettingsError

Change = Callable[[dict[str, Any]], object]


def changed(folder: Path, change: Change) -> Path:
    """A folder with the contract of `interactions` after a change."""
    values = yaml.safe_load((SCHEMAS / "interactions.v1.yaml").read_text(encoding="utf-8"))
    change(values)
    (folder / "interactions.v1.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    return folder


def column(values: dict[str, Any], name: str) -> dict[str, Any]:
    columns: list[dict[str, Any]] = values["schema"][0]["properties"]
    return next(each for each in columns if each["name"] == name)


def price_check(values: dict[str, Any]) -> dict[str, Any]:
    check: dict[str, Any] = column(values, "price")["quality"][0]
    return check


def test_the_file_becomes_a_contract() -> None:
    contract = load_contract(INTERACTIONS)
    assert contract.name == "interactions"
    assert contract.version == 1
    assert contract.owner == "ingest"
    assert contract.retention_days == 400
    assert contract.partition_by == ("day",)
    price = contract.column("price")
    assert (price.physical_type, price.nullable) == ("double", True)
    assert price.unit == "currency of the source per piece"
    checks = {check.name: check for check in contract.checks}
    assert checks["event_id_unique"].columns == ("day", "event_id")
    assert checks["event_id_unique"].column is None
    assert checks["price_plausible"].tolerated_share == 0.01
    assert checks["price_plausible"].severity == "warn"
    assert checks["user_id_not_null"].severity == "fail"


def test_a_contract_is_read_once() -> None:
    assert load_contract(INTERACTIONS) is load_contract(INTERACTIONS)


def test_a_feed_must_have_only_its_required_columns() -> None:
    contract = load_contract(feed_dataset("events"))
    assert contract.is_feed
    assert contract.must_have == ("event_id", "event_type", "user_id", "item_id", "event_time")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(price=3), "contract: expected one of .*found unknown key `price`"),
        (lambda v: v.pop("team"), "contract: expected the key `team`, found nothing"),
        (lambda v: v.update(apiVersion="v2"), "contract.apiVersion: expected v3.1.0, found 'v2'"),
        (lambda v: v.update(version="one"), "contract.version: expected for example 1.0.0"),
        (lambda v: v.update(team=[]), "contract.team: expected a mapping with `name`"),
        (lambda v: v.update(schema=[]), "schema: expected one object, found 0 objects"),
        (lambda v: v.update(schema="x"), "schema: expected a list of mappings, found str"),
        (
            lambda v: v["slaProperties"][0].update(value="long"),
            "slaProperties: expected one retention in days, or null, found 'long'",
        ),
        (
            lambda v: column(v, "price").update(physicalType="decimal"),
            "column price.physicalType: expected double, float, found 'decimal'",
        ),
        (
            lambda v: column(v, "price").update(logicalType="money"),
            "column price.logicalType: expected .*found 'money'",
        ),
        (
            lambda v: column(v, "price").pop("customProperties"),
            "column price: expected the custom property `unit` of a number, found none",
        ),
        (
            lambda v: column(v, "price").update(name="query"),
            "column query: expected a name used once, found used again",
        ),
        (
            lambda v: price_check(v).update(severity="info"),
            "check price_range.severity: expected error, warning, found 'info'",
        ),
        (
            lambda v: price_check(v).update(metric="rowCount"),
            "check price_range.metric: expected invalidValues, nullValues",
        ),
        (
            lambda v: price_check(v)["arguments"].update(pattern="x"),
            "check price_range: expected arguments of one kind, found minimum, pattern",
        ),
        (
            lambda v: price_check(v)["arguments"].update(minimum="nought"),
            "check price_range.minimum: expected a number, found 'nought'",
        ),
        (
            lambda v: price_check(v)["arguments"].update(smallest=0),
            "check price_range: expected one of .*found unknown key `smallest`",
        ),
        (
            lambda v: price_check(v).pop("mustBe"),
            "check price_range: expected mustBe: 0 or mustBeLessOrEqualTo, found neither",
        ),
        (
            lambda v: price_check(v).update(mustBeLessOrEqualTo=300, unit="percent"),
            "check price_range: expected a percentage with unit: percent, found 300",
        ),
        (
            lambda v: v["schema"][0]["quality"][0]["arguments"].update(properties=["day", "key"]),
            "check event_id_unique: expected columns above, found key",
        ),
    ],
)
def test_a_problem_is_named(tmp_path: Path, change: Change, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_contract(INTERACTIONS, changed(tmp_path, change))


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values.update(owner="me")
        column(values, "price").update(physicalType="money", unit="EUR")
        price_check(values).update(severity="fatal")

    with pytest.raises(SettingsError, match="a contract has 4 problems") as raised:
        load_contract(INTERACTIONS, changed(tmp_path, change))
    for found in ("`owner`", "'money'", "`unit`", "'fatal'"):
        assert found in str(raised.value)


def test_a_file_that_describes_another_table_is_rejected(tmp_path: Path) -> None:
    folder = changed(tmp_path, lambda v: column(v, "day").pop("partitioned"))
    with pytest.raises(SettingsError, match="does not describe its dataset"):
        load_contract(INTERACTIONS, folder)


def test_a_missing_file_and_invalid_yaml_are_distinguished(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no contract file"):
        load_contract(METRICS, tmp_path)
    for text, found in (("- a\n- b\n", "list"), ("a: [", "expected the node content")):
        folder = tmp_path / found[:4]
        folder.mkdir()
        (folder / "metrics.v1.yaml").write_text(text, encoding="utf-8")
        with pytest.raises(SettingsError, match=f"(?s)not a YAML mapping.*{found}"):
            load_contract(METRICS, folder)


def test_reading_contracts_loads_neither_spark_nor_arrow() -> None:
    code = (
        "import sys, grove.contracts as c; c.load_contracts(); "
        "print([name for name in ('pyspark', 'pyarrow', 'numpy') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=SCHEMAS.parent,
        env={"PYTHONPATH": "libs"},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
