from datetime import date

import pytest

from grove.quality.invariants.codes import codes_kept, slots_suffice


def test_a_full_tree_fails_and_names_the_command_that_helps():
    full = slots_suffice(3, free=1, day=date(2026, 11, 19))
    assert (full.severity, full.passed, full.unexpected_rows) == ("fail", False, 3)
    assert "make trigger DAY=2026-11-19 RETRAIN=1" in full.observed
    roomy = slots_suffice(0, free=9, day=date(2026, 11, 19))
    assert roomy.passed
    assert "RETRAIN" not in roomy.observed


@pytest.mark.parametrize(
    ("churn", "rebuilt", "passed", "severity"),
    [
        (0.0, False, True, "fail"),
        (0.1, False, False, "fail"),
        (0.1, True, False, "warn"),
        (0.0, True, True, "warn"),
    ],
)
def test_codes_move_in_a_rebuild_only(churn, rebuilt, passed, severity):
    found = codes_kept(churn, rebuilt=rebuilt)
    assert (found.passed, found.severity) == (passed, severity)
