"""Process group and devices of a worker, with an accelerator and without; the tests need none."""

from __future__ import annotations

import pytest
import torch
from tests.unit.training.synthetic import histories_of, shop_items, walks, write_shop
from torch import distributed

from grove.errors import SettingsError
from grove.training import process_group
from grove.training.process_group import accelerator
from grove.training.worker import open_worker


@pytest.mark.parametrize(("use_gpu", "backends"), [(False, "gloo"), (True, "cpu:gloo,cuda:nccl")])
def test_workers_can_sum_on_the_cpu_on_any_device(tmp_path, monkeypatch, use_gpu, backends):
    """Counts and losses are summed on the CPU, which nccl alone does not support."""
    joined, left, logged = [], [], []
    monkeypatch.setattr(distributed, "is_torchelastic_launched", lambda: True)
    monkeypatch.setattr(distributed, "init_process_group", joined.append)
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: left.append(True))
    monkeypatch.setattr("grove.training.worker_inputs.accelerator", lambda _: "cpu")
    monkeypatch.setattr(process_group, "configure_logs", lambda job, _: logged.append(job))
    spec = write_shop(tmp_path, histories_of(walks(3, 4, 10)), shop_items(10), use_gpu=use_gpu)
    with open_worker(spec) as inputs:
        assert len(inputs.sequences) == 3
    assert joined == [backends]
    assert left == [True]
    assert logged == ["worker-0"]


def test_workers_take_the_devices_round_robin_and_make_them_current(monkeypatch):
    current = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", current.append)
    assert [accelerator(rank) for rank in range(3)] == ["cuda:0", "cuda:1", "cuda:0"]
    assert current == ["cuda:0", "cuda:1", "cuda:0"]


def test_a_missing_accelerator_is_rejected(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(SettingsError, match="no accelerator is available") as caught:
        accelerator(1)
    assert "distributed.use_gpu, worker 1" in caught.value.where
    assert "use_gpu to false" in caught.value.next_step
