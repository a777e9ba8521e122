"""Checks of histories beyond their contract: order of time, and no event of the day before it."""

from __future__ import annotations

from dataclasses import dataclass

import pyspark.sql.functions as F  # noqa: N812
from pyspark.sql import Column, DataFrame

from grove.contracts import CheckResult


@dataclass(frozen=True, kw_only=True)
class HistoryFacts:
    """Numbers over all histories of a day."""

    rows: int
    events: int
    """Events of the cut through the day."""
    unordered: int
    """Histories whose event times descend somewhere."""
    beyond_cut: int
    """Histories with an event that landed after the cut."""
    too_long: int
    """Histories with more events than allowed."""


def measure_histories(histories: DataFrame, *, max_events: int) -> HistoryFacts:
    """Measure histories in one pass.

    Args:
        histories: rows of one day, both cuts.
        max_events: most events a history may hold.
    """
    is_before = F.col("cut") == "before"
    last_landed = F.array_max("landed_days")
    beyond = (last_landed > F.col("day")) | (is_before & (last_landed >= F.col("day")))
    ordered = F.col("event_times") == F.array_sort("event_times")
    facts = histories.agg(
        F.count("*").alias("rows"),
        F.coalesce(F.sum(F.when(~is_before, F.size("item_ids"))), F.lit(0)).alias("events"),
        _rows(~ordered).alias("unordered"),
        _rows(beyond).alias("beyond_cut"),
        _rows(F.size("item_ids") > max_events).alias("too_long"),
    ).first()
    return HistoryFacts(**facts.asDict()) if facts else _NOTHING


def check_histories(facts: HistoryFacts) -> tuple[CheckResult, ...]:
    """Results of the checks; a failed one rejects the day."""
    return (
        CheckResult(
            name="histories_present",
            severity="fail",
            passed=facts.rows > 0,
            expected="at least 1 history: a user with a positive event up to the day",
            observed=f"{facts.rows} histories",
        ),
        _check("events_ordered", "event times ascend", facts.unordered, facts.rows),
        _check("cut_respected", "no event landed after the cut", facts.beyond_cut, facts.rows),
        _check("history_length", "only the newest events", facts.too_long, facts.rows),
    )


_NOTHING = HistoryFacts(rows=0, events=0, unordered=0, beyond_cut=0, too_long=0)


def _rows(broken: Column) -> Column:
    return F.count_if(broken)


def _check(name: str, expected: str, broken: int, rows: int) -> CheckResult:
    return CheckResult(
        name=name,
        severity="fail",
        passed=broken == 0,
        expected=expected,
        observed=f"{broken} of {rows} histories break it",
        unexpected_rows=broken,
    )
