from __future__ import annotations

from grove.contracts import Check, Column, Contract, delta_constraints


def contract_of(*checks: Check, nullable: bool = False) -> Contract:
    column = Column(
        name="a", logical_type="string", physical_type="string", nullable=nullable, meaning="A."
    )
    return Contract(
        name="rows",
        version=1,
        description="Rows.",
        owner="us",
        grain="one row",
        is_feed=False,
        partition_by=(),
        retention_days=None,
        columns=(column,),
        checks=checks,
    )


def check_of(kind: str, **values: object) -> Check:
    return Check(**({"name": kind, "kind": kind, "severity": "fail", "columns": ("a",)} | values))  # type: ignore[arg-type]


def test_each_kind_has_its_condition() -> None:
    contract = contract_of(
        check_of("values", values=("it's", "b")),
        check_of("range", minimum=-1e15, maximum=0.5),
        check_of("length", minimum=1.0),
        check_of("items", maximum=20.0),
    )
    assert delta_constraints(contract) == {
        "values": "a IN ('it''s', 'b')",
        "range": "a >= -1e+15 AND a <= 0.5",
        "length": "character_length(a) >= 1",
        "items": "cardinality(a) <= 20",
    }


def test_a_null_value_is_allowed_explicitly() -> None:
    contract = contract_of(check_of("range", minimum=1.0), nullable=True)
    assert delta_constraints(contract) == {"range": "a IS NULL OR (a >= 1)"}


def test_a_check_that_warns_tolerates_or_needs_other_rows_is_not_a_constraint() -> None:
    contract = contract_of(
        check_of("range", minimum=1.0, severity="warn"),
        check_of("values", values=("a",), tolerated_share=0.1),
        check_of("unique"),
        check_of("not_null"),
        check_of("pattern", pattern="a"),
        check_of("norm", minimum=1.0),
    )
    assert delta_constraints(contract) == {}
