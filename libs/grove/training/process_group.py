"""The process group of a training: join it, log from it, and give each worker its device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import torch
from torch import distributed

from grove.errors import SettingsError
from grove.runtime.logs import configure_logs
from grove.training.collectives import world
from grove.training.job_spec import TrainingSpec

THREADS_PER_WORKER = 1
CPU_GROUP = "gloo"
GPU_GROUP = "cpu:gloo,cuda:nccl"
"""Gradients are summed where they are; counts and losses, which are summed on the CPU, by gloo."""


@contextmanager
def joined_group(spec: TrainingSpec) -> Iterator[None]:
    """Join the other workers for a block; without a launcher, the block runs alone.

    A launched worker is a process of its own, so it configures its log. Its lines go to its error
    stream, which the launcher forwards to the driver's log.

    Args:
        spec: of the training.
    """
    launched = distributed.is_torchelastic_launched()
    if launched:
        distributed.init_process_group(GPU_GROUP if spec.use_gpu else CPU_GROUP)
        configure_logs(f"worker-{world()[0]}", date.fromisoformat(spec.through))
    torch.set_num_threads(THREADS_PER_WORKER)
    try:
        yield
    finally:
        if launched:
            distributed.destroy_process_group()


def accelerator(rank: int) -> str:
    """Assign the visible accelerators to the workers round-robin.

    NCCL talks through the current device, which is the first one unless it is set.

    Args:
        rank: of this worker.

    Returns:
        Name of the device, such as `cuda:1`.

    Raises:
        SettingsError: the process sees no accelerator.
    """
    devices = torch.cuda.device_count()
    if devices == 0:
        raise SettingsError(
            "there is no accelerator to train on",
            where=f"setting distributed.use_gpu, worker {rank}",
            expected="at least one CUDA device that torch can use",
            found=f"none; torch {torch.__version__}",
            next_step="set distributed.use_gpu to false, or run the workers on machines with CUDA",
        )
    device = f"cuda:{rank % devices}"
    torch.cuda.set_device(device)
    return device
