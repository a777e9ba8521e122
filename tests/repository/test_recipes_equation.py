"""The recipe of CONTRIBUTING for an equation of a paper, followed on a copy of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.repository.tree_copy import (
    add,
    copy_tree,
    edit,
    failing_python,
    python,
    unnamed_files,
)

pytestmark = pytest.mark.slow

FUNCTION = '''"""Uniformity of item vectors."""

from __future__ import annotations

import torch
from torch import Tensor


def uniformity(vectors: Tensor) -> Tensor:
    """Logarithm of the mean Gaussian kernel of all pairs: log E exp(−2 |x − y|²).

    Source: Wang and Isola (ICML 2020), eq. 2, with t = 2.

    Args:
        vectors: [N, D] float, unit norm.

    Returns:
        A scalar; lower is more uniform.
    """
    return torch.pdist(vectors).square().mul(-2).exp().mean().log()
'''
TEST = '''"""Uniformity against its formula, pair by pair."""

import math

import torch

from grove.systems.dssm.uniformity import uniformity


def test_uniformity_is_the_log_of_the_mean_kernel_of_the_pairs():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    kernels = [math.exp(-2 * 2), math.exp(-2 * 4), math.exp(-2 * 2)]
    assert abs(float(uniformity(vectors)) - math.log(sum(kernels) / 3)) < 1e-6
'''
ROW = (
    "| Wang and Isola, eq. 2 | uniformity | `systems/dssm/uniformity.py:uniformity` | none | "
    "`tests/unit/systems/dssm/test_uniformity.py` | |\n"
)
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
MAPS = "tests/repository/test_paper_maps.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree in which DSSM has one more equation."""
    copy = copy_tree(tmp_path / "tree", ("libs", "tests", "pyproject.toml"))
    system = copy / "libs" / "grove" / "systems" / "dssm"
    add(system / "uniformity.py", FUNCTION)
    add(copy / "tests" / "unit" / "systems" / "dssm" / "test_uniformity.py", TEST)
    edit(system / "README.md", "\n\n## Not built yet\n", f"\n{ROW}\n## Not built yet\n")
    return copy


def test_an_equation_is_a_function_a_row_of_the_map_and_a_test(tree: Path) -> None:
    # The tree's conftest needs Spark's settings, which an equation does not.
    test = "tests/unit/systems/dssm/test_uniformity.py"
    assert "1 passed" in python(tree, *PYTEST, "--noconftest", test)
    python(tree, *PYTEST, "--noconftest", MAPS)
    assert unnamed_files(tree, "an equation of a paper") == set()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("uniformity.py:uniformity`", "uniformity.py:spread`"),
        ("`systems/dssm/uniformity.py:uniformity`", "`systems/dssm/spread.py:uniformity`"),
        ("dssm/test_uniformity.py`", "dssm/test_spread.py`"),
        ("| `tests/unit/systems/dssm/test_uniformity.py` |", "| |"),
        ("| none | `tests/unit/systems/dssm/test_uniformity.py`", "| | `tests/unit`"),
    ],
    ids=["function", "file", "test", "no test", "no deviation"],
)
def test_a_row_that_names_what_is_missing_is_found(tree: Path, old: str, new: str) -> None:
    edit(tree / "libs" / "grove" / "systems" / "dssm" / "README.md", old, new)
    assert "[dssm]" in failing_python(tree, *PYTEST, "--noconftest", MAPS)
