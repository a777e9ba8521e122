from datetime import date

import numpy as np
import pytest

from grove.quality.invariants.codes import codes_kept, slots_distinct, slots_suffice


def test_a_full_tree_fails_and_suggests_a_command():
    full = slots_suffice(3, free=1, day=date(2026, 11, 19), rebuilt=False)
    assert (full.severity, full.passed, full.unexpected_rows) == ("fail", False, 3)
    assert "make trigger DAY=2026-11-19 RETRAIN=1" in full.observed
    roomy = slots_suffice(0, free=9, day=date(2026, 11, 19), rebuilt=False)
    assert roomy.passed
    assert "RETRAIN" not in roomy.observed


def test_a_tree_that_is_full_right_after_a_rebuild_needs_more_headroom():
    full = slots_suffice(3, free=1, day=date(2026, 11, 19), rebuilt=True)
    assert not full.passed
    assert "raise trees.headroom" in full.observed


def test_two_items_in_one_slot_are_found():
    leaves, slots = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 0])
    double = slots_distinct(leaves, slots)
    assert (double.severity, double.passed, double.unexpected_rows) == ("fail", False, 1)
    assert slots_distinct(leaves, np.array([0, 1, 0, 1])).passed


@pytest.mark.parametrize(
    ("churn", "rebuilt", "passed", "severity"),
    [
        (0.0, False, True, "fail"),
        (0.1, False, False, "fail"),
        (0.1, True, False, "warn"),
        (0.0, True, True, "warn"),
    ],
)
def test_codes_change_only_in_a_rebuild(churn, rebuilt, passed, severity):
    found = codes_kept(churn, rebuilt=rebuilt)
    assert (found.passed, found.severity) == (passed, severity)
