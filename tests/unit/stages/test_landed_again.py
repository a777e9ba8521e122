"""Stale days by the versions that reports record."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from grove.datasets import Layout
from grove.runtime.files import write_json
from grove.stages.landed_again import stale_days

DAYS = [date(2026, 8, 20) + timedelta(days=days) for days in range(4)]


@pytest.fixture
def home(tmp_path) -> Layout:
    return Layout(str(tmp_path))


def report(home: Layout, day: date, stage: str, version: int | None, status: str = "committed"):
    versions = {} if version is None else {"interactions": version}
    write_json(home.report(day, stage), {"status": status, "versions": versions})


def ran(home: Layout, day: date, landed: int | None, built: int | None) -> None:
    report(home, day, "ingest_landing", landed)
    report(home, day, "build_histories", built)


def test_days_in_order_are_current(home):
    for number, day in enumerate(DAYS[:3]):
        ran(home, day, landed=number * 2 + 1, built=number * 2 + 1)
    assert stale_days(home, DAYS[3]) == {}


def test_every_day_built_before_a_landing_is_stale_until_it_is_built_again(home):
    ran(home, DAYS[0], landed=9, built=9)
    ran(home, DAYS[1], landed=3, built=3)
    ran(home, DAYS[2], landed=5, built=5)
    assert stale_days(home, DAYS[3]) == {DAYS[1]: DAYS[0], DAYS[2]: DAYS[0]}
    ran(home, DAYS[1], landed=3, built=9)
    assert stale_days(home, DAYS[3]) == {DAYS[2]: DAYS[0]}
    assert stale_days(home, DAYS[2]) == {}
    assert stale_days(home, DAYS[3], running=[DAYS[2]]) == {}
    assert stale_days(home, DAYS[3], running=[DAYS[0]]) == {}


def test_days_of_a_history_that_built_nothing_are_not_stale(home):
    report(home, DAYS[0], "ingest_landing", 9)
    report(home, DAYS[1], "ingest_landing", 3)
    assert stale_days(home, DAYS[3]) == {}


def test_a_build_of_earlier_code_is_stale_after_a_landing_of_this_code(home):
    ran(home, DAYS[0], landed=None, built=None)
    ran(home, DAYS[1], landed=None, built=None)
    assert stale_days(home, DAYS[2]) == {}
    ran(home, DAYS[0], landed=9, built=9)
    assert stale_days(home, DAYS[2]) == {DAYS[1]: DAYS[0]}


@pytest.mark.parametrize("status", ["closed", "refused", "failed"])
def test_the_version_counts_whatever_the_last_landing_ended_with(home, status):
    report(home, DAYS[0], "ingest_landing", 9, status)
    ran(home, DAYS[1], landed=3, built=3)
    assert stale_days(home, DAYS[3]) == {DAYS[1]: DAYS[0]}


def test_a_closed_day_or_a_failed_build_is_not_stale(home):
    report(home, DAYS[0], "ingest_landing", 9)
    report(home, DAYS[1], "ingest_landing", 3, "closed")
    report(home, DAYS[1], "build_histories", 3)
    report(home, DAYS[2], "ingest_landing", 5)
    report(home, DAYS[2], "build_histories", 5, "failed")
    assert stale_days(home, DAYS[3]) == {}


def test_only_the_weeks_before_a_day_are_looked_at(home):
    ran(home, DAYS[0], landed=9, built=9)
    ran(home, DAYS[1], landed=3, built=3)
    assert stale_days(home, DAYS[0] + timedelta(days=28)) == {DAYS[1]: DAYS[0]}
    assert stale_days(home, DAYS[0] + timedelta(days=29)) == {}
