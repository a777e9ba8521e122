"""Process group of a training: membership, logging and the device of each worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import distributed

from grove.errors import SettingsError
from grove.runtime.logs import configure_logs
from grove.training.collectives import world
from grove.training.job_spec import TrainingSpec

THREADS_PER_WORKER = 1
CPU_GROUP = "gloo"
GPU_GROUP = "cpu:gloo,cuda:nccl"
"""NCCL sums gradients on the GPU; gloo sums counts and losses on the CPU."""


@contextmanager
def joined_group(spec: TrainingSpec) -> Iterator[None]:
    """Join the process group for the duration of a block; without a launcher there is no group.

    A launched worker is a separate process, so it configures its own logging. Its records go to
    stderr, which the launcher forwards to the driver's log.

    Args:
        spec: specification of the training.
    """
    launched = distributed.is_torchelastic_launched()
    if launched:
        distributed.init_process_group(GPU_GROUP if spec.use_gpu else CPU_GROUP)
        # The day of the run is on the driver's lines; a specification has none.
        configure_logs(f"worker-{world()[0]}", None)
    torch.set_num_threads(THREADS_PER_WORKER)
    try:
        yield
    finally:
        if launched:
            distributed.destroy_process_group()


def accelerator(rank: int) -> str:
    """Assign the visible accelerators to the workers round-robin.

    NCCL communicates through the current device, so it is set here; the default is the first one.

    Args:
        rank: index of this worker.

    Returns:
        Name of the device, such as `cuda:1`.

    Raises:
        SettingsError: no accelerator is visible to the process.
    """
    devices = torch.cuda.device_count()
    if devices == 0:
        raise SettingsError(
            "no accelerator is available for the training",
            where=f"setting distributed.use_gpu, worker {rank}",
            expected="at least one CUDA device that torch can use",
            found=f"none; torch {torch.__version__}",
            next_step="set distributed.use_gpu to false, or run the workers on machines with CUDA",
        )
    device = f"cuda:{rank % devices}"
    torch.cuda.set_device(device)
    return device
