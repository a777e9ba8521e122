from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.quality.invariants import (
    known_items,
    no_gap,
    one_row_per_user,
    quarantined_share,
    rows_conserved,
    rows_on_open_day,
    volume_like_weekday,
)
from grove.settings.shop import IngestSettings

counts = st.integers(min_value=0, max_value=10**9)


@given(counts, counts)
def test_there_are_as_many_rows_as_users(rows: int, users: int) -> None:
    result = one_row_per_user("every_user_served", rows=rows, users=users)
    assert (result.name, result.severity) == ("every_user_served", "fail")
    assert result.passed == (rows == users)
    assert result.unexpected_rows == abs(rows - users)


@given(counts, counts, counts, st.integers(min_value=-3, max_value=3))
def test_rows_are_conserved_exactly(
    accepted: int, duplicates: int, quarantined: int, lost: int
) -> None:
    landed = accepted + duplicates + quarantined + lost
    result = rows_conserved(landed, accepted, duplicates, quarantined)
    assert result.passed == (lost == 0)
    assert result.unexpected_rows == abs(lost)
    assert result.severity == "fail"


@pytest.mark.parametrize(
    ("quarantined", "landed", "warned", "rejected"),
    [(0, 0, False, False), (5, 100, False, False), (6, 100, True, False), (51, 100, True, True)],
)
def test_a_few_invalid_rows_warn_and_many_reject(
    quarantined: int, landed: int, warned: bool, rejected: bool
) -> None:
    warning, failure = quarantined_share(quarantined, landed, warn_above=0.05, fail_above=0.5)
    assert (warning.severity, failure.severity) == ("warn", "fail")
    assert (not warning.passed, not failure.passed) == (warned, rejected)
    assert warning.name != failure.name


@pytest.mark.parametrize(("rows", "passed"), [(0, False), (1, True)])
def test_an_open_day_has_rows(rows: int, passed: bool) -> None:
    assert rows_on_open_day(rows).passed == passed


@pytest.mark.parametrize(
    ("rows", "past", "passed"),
    [
        (0, [], True),
        (100, [90, 110, 5000], True),  # the median is 110
        (330, [110], True),
        (331, [110], False),
        (36, [110], False),
    ],
)
def test_volume_is_compared_with_the_usual_one(rows: int, past: list[int], passed: bool) -> None:
    result = volume_like_weekday(rows, past, ratio=3)
    assert result.passed == passed
    assert result.severity == "warn"


@pytest.mark.parametrize(("fail", "severity"), [(True, "fail"), (False, "warn")])
def test_gaps_are_named_in_order(fail: bool, severity: str) -> None:
    result = no_gap([date(2026, 8, 19), date(2026, 8, 18)], fail=fail)
    assert (result.passed, result.severity) == (False, severity)
    assert result.observed == "missing: 2026-08-18, 2026-08-19"
    assert no_gap([], fail=fail).passed


@pytest.mark.parametrize(
    ("unknown", "events", "warned", "rejected"),
    [(0, 0, False, False), (5, 100, False, False), (6, 100, True, False), (100, 100, True, True)],
)
def test_events_on_unknown_items_warn_and_reject_above_their_limits(
    unknown: int, events: int, warned: bool, rejected: bool
) -> None:
    warning, failure = known_items(
        unknown, events, warn_above=0.05, fail_above=0.9, before="1.0% on 2026-08-19"
    )
    assert (warning.severity, failure.severity) == ("warn", "fail")
    assert (not warning.passed, not failure.passed) == (warned, rejected)
    assert warning.observed.endswith("1.0% on 2026-08-19")
    assert warning.unexpected_rows == unknown


def test_by_default_unknown_items_never_reject() -> None:
    limits = IngestSettings()
    _, failure = known_items(
        9,
        9,
        warn_above=limits.warn_unknown_items_share,
        fail_above=limits.max_unknown_items_share,
        before="",
    )
    assert failure.passed
