"""A function runs once per torch worker, and a worker that fails is an infrastructure error."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from tests.unit.training.synthetic import OPTIONS, histories_of, shop_items, walks, write_shop

from grove.errors import InfrastructureError
from grove.runtime.distributed import run_workers
from grove.settings.load import parse_settings
from grove.systems.dssm.train import train_dssm_worker

pytestmark = [pytest.mark.spark, pytest.mark.slow]


@pytest.fixture(autouse=True)
def workers_find_this_module(monkeypatch):
    root = Path(__file__).resolve().parents[3]
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root / 'libs'}")


def write_rank(arguments):
    rank = os.environ["RANK"]
    if rank == str(arguments["fails"]):
        raise ValueError(f"worker {rank} fails on purpose")
    Path(arguments["folder"], rank).write_text(os.environ["WORLD_SIZE"])


def settings(processes):
    return parse_settings(
        {"home": "/data/shop", "distributed": {"processes": processes}}, where="test"
    )


@pytest.mark.parametrize("processes", [1, 2])
def test_every_worker_runs(spark, tmp_path, processes):
    arguments = {"folder": str(tmp_path), "fails": None}
    run_workers(write_rank, arguments, settings(processes), spark)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {str(rank): str(processes) for rank in range(processes)}


def test_a_failing_worker_is_an_infrastructure_error(spark, tmp_path):
    arguments = {"folder": str(tmp_path), "fails": 1}
    with pytest.raises(InfrastructureError, match="a training worker failed"):
        run_workers(write_rank, arguments, settings(2), spark)


def test_the_epochs_of_a_training_appear_in_the_drivers_log(spark, tmp_path, capfd):
    histories, items = histories_of(walks(12, 6, 10)), shop_items(10)
    spec = write_shop(tmp_path, histories, items, options={**OPTIONS, "epochs": 2})
    run_workers(train_dssm_worker, spec.as_json(), settings(2), spark)
    lines = [line for line in capfd.readouterr().out.splitlines() if " epoch " in line]
    for number, line in enumerate(lines, start=1):
        pattern = rf"\S+Z INFO worker-0 - epoch {number} of 2: loss \d.*, \d+ sequences/s.*"
        assert re.fullmatch(pattern, line), line
    assert len(lines) == 2
    assert sys.stdout.line_buffering
