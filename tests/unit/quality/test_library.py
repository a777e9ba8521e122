"""Modules that the import of Great Expectations loads, in a fresh process as in a gate."""

from __future__ import annotations

import subprocess
import sys

import pytest

FRESH = """
import sys
from grove.quality.library import POSTPONED, import_great_expectations
gx = import_great_expectations()
kind = type(sys.modules[POSTPONED])
print(gx.__name__, kind.__module__, kind.__name__)
from scipy import stats
print(stats.norm.cdf(0.0), type(stats).__name__)
"""


@pytest.mark.slow
def test_scipy_stats_loads_at_its_first_use():
    output = subprocess.run(
        [sys.executable, "-c", FRESH], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert output == ["great_expectations importlib.util _LazyModule", "0.5 module"]
