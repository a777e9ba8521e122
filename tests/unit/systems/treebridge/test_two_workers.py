"""Two real workers train as one: each has half of the users, and both end with one model."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.free_port import free_port
from tests.unit.systems.treebridge.tree_shop import shop
from torch import multiprocessing

from grove.features.model_metadata import read_metadata
from grove.systems.treebridge.train import train_treebridge_worker

WORKERS = 2


def work_of(rank: int, spec: dict[str, Any], port: int) -> None:
    """The environment that TorchDistributor gives a worker, by which it finds the others."""
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "WORLD_SIZE": str(WORKERS),
    }
    train_treebridge_worker(spec)


def on_two_workers(spec: dict[str, Any]) -> None:
    multiprocessing.spawn(work_of, (spec, free_port()), nprocs=WORKERS)


@pytest.mark.slow
def test_two_workers_train_as_one_and_repeat_to_the_bit(tmp_path: Path) -> None:
    # One step an epoch: a worker cuts its own users into batches, so that only whole sets compare.
    spec, _, _ = shop(tmp_path, options={"batch_size": 64, "epochs": 3, "item_weight": 1.0})
    train_treebridge_worker(spec.as_json())
    alone = read_metadata(spec.output_folder).curve
    trained = []
    for run in ("first", "second"):
        output = str(tmp_path / run)
        on_two_workers(spec.as_json() | {"output": output})
        trained.append(read_metadata(Path(output)))
    together = trained[0].curve
    assert together[0] == pytest.approx(alone[0], rel=1e-6)
    # From then on each worker hides other items' ids.
    assert together[2] - together[0] == pytest.approx(alone[2] - alone[0], rel=0.1)
    assert trained[0].model_version == trained[1].model_version
