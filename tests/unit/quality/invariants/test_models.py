from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from grove.quality.invariants import (
    candidate_not_worse,
    finite_losses,
    update_not_worse,
    vector_drift,
)
from grove.quality.invariants.models import upper_bound_of_mean


@pytest.mark.parametrize(
    ("candidate", "comparator", "severity", "passed"),
    [
        (0.2, 0.2, "fail", True),
        (0.1801, 0.2, "fail", True),
        (0.1799, 0.2, "fail", False),
        (0.9, None, "warn", False),
        (math.nan, 0.2, "fail", False),
    ],
)
def test_a_candidate_may_lose_a_share(
    candidate: float, comparator: float | None, severity: str, passed: bool
) -> None:
    result = candidate_not_worse(candidate, comparator, tolerance=0.1)
    assert (result.severity, result.passed) == (severity, passed)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 30, 200, 5000])
def test_the_bound_equals_students_t(count: int) -> None:
    sample = np.random.default_rng(count).normal(size=count)
    error = sample.std(ddof=1) / math.sqrt(count)
    quantile = (upper_bound_of_mean(sample) - sample.mean()) / error
    assert quantile == pytest.approx(stats.t.ppf(0.95, count - 1), rel=5e-4)


def test_the_bound_has_its_nominal_coverage() -> None:
    random = np.random.default_rng(0)
    held = [upper_bound_of_mean(random.normal(size=20)) >= 0 for _ in range(4000)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.011)  # three standard errors


def test_a_single_draw_has_no_bound() -> None:
    assert upper_bound_of_mean(np.array([1.0])) == math.inf


def hits(count: int, share: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(count) < share).astype(float)


def test_equal_and_better_users_pass() -> None:
    before = hits(500, 0.2)
    for after in (before, np.ones(500)):
        result = update_not_worse(before, after, tolerance=0.1, minimum_users=200)
        assert (result.severity, result.passed) == ("fail", True)


def test_a_clear_loss_fails() -> None:
    before = hits(500, 0.5)
    result = update_not_worse(before, before * hits(500, 0.5, 1), tolerance=0.1, minimum_users=200)
    assert (result.severity, result.passed) == ("fail", False)


def test_a_loss_within_chance_does_not_fail() -> None:
    # 40 of 200 users hit before; 30 after: mean -0.05, tolerated -0.02, bound above it.
    before, after = np.zeros(200), np.zeros(200)
    before[:40], after[25:55] = 1, 1
    assert (after - before).mean() < -0.1 * before.mean()
    assert update_not_worse(before, after, tolerance=0.1, minimum_users=200).passed
    # The same users, all of the loss on ten of them: pairing leaves no room for chance.
    after = before.copy()
    after[:20] = 0
    assert not update_not_worse(before, after, tolerance=0.1, minimum_users=200).passed


@pytest.mark.parametrize("users", [0, 1, 199])
def test_few_users_only_warn(users: int) -> None:
    result = update_not_worse(np.ones(users), np.zeros(users), tolerance=0.1, minimum_users=200)
    assert (result.severity, result.passed) == ("warn", False)


def test_a_metric_of_nan_fails() -> None:
    before = np.ones(300)
    result = update_not_worse(before, before * np.nan, tolerance=0.1, minimum_users=200)
    assert (result.severity, result.passed) == ("fail", False)


def test_users_must_be_paired() -> None:
    with pytest.raises(ValueError, match=r"got \(3,\), \(2,\)"):
        update_not_worse(np.ones(3), np.ones(2), tolerance=0.1, minimum_users=0)


@pytest.mark.parametrize(
    ("losses", "broken"), [([], 0), ([0.5, 0.1], 0), ([0.5, math.nan, math.inf], 2)]
)
def test_losses_are_finite(losses: list[float], broken: int) -> None:
    result = finite_losses(losses)
    assert result.passed == (broken == 0)
    assert result.observed == f"{broken} of {len(losses)} are not finite"


@pytest.mark.parametrize(("drift", "passed"), [(0.0, True), (0.51, False), (math.nan, False)])
def test_drift_is_bounded(drift: float, passed: bool) -> None:
    assert vector_drift(drift, maximum=0.5).passed == passed


def test_invariants_load_neither_great_expectations_nor_spark() -> None:
    code = (
        "import sys, grove.quality.invariants; "
        "print([n for n in ('great_expectations', 'pyspark', 'pandas') if n in sys.modules])"
    )
    libs = str(Path(__file__).resolve().parents[4] / "libs")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": libs},
    )
    assert done.stdout.strip() == "[]"
