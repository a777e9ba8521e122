"""A function runs once per torch rank, and a rank that fails is an infrastructure error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grove.errors import InfrastructureError
from grove.runtime.distributed import run_workers
from grove.settings.load import parse_settings

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture(autouse=True)
def ranks_find_this_module(monkeypatch):
    root = Path(__file__).resolve().parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root / 'libs'}")


def write_rank(arguments):
    rank = os.environ["RANK"]
    if rank == str(arguments["fails"]):
        raise ValueError(f"rank {rank} was told to fail")
    Path(arguments["folder"], rank).write_text(os.environ["WORLD_SIZE"])


def settings(processes):
    return parse_settings(
        {"home": "/data/shop", "distributed": {"processes": processes}}, where="test"
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_every_rank_runs(spark, tmp_path, processes):
    arguments = {"folder": str(tmp_path), "fails": None}
    run_workers(write_rank, arguments, settings(processes), spark)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {str(rank): str(processes) for rank in range(processes)}


def test_a_failing_rank_is_an_infrastructure_error(spark, tmp_path):
    arguments = {"folder": str(tmp_path), "fails": 1}
    with pytest.raises(InfrastructureError, match="a training rank failed"):
        run_workers(write_rank, arguments, settings(2), spark)
