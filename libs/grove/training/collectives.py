"""Collective operations of the workers of a training: gradients, counts, number of steps.

Every function works alone, without a process group, as if there were one worker.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, distributed, nn


def world() -> tuple[int, int]:
    """Rank of this process, and how many there are."""
    if not distributed.is_initialized():
        return 0, 1
    return distributed.get_rank(), distributed.get_world_size()


def sum_over_workers(values: Tensor) -> Tensor:
    """Sum a tensor of equal shape over all workers; every worker gets the sum."""
    values = values.clone()
    _sum_in_place(values)
    return values


def largest_over_workers(value: int) -> int:
    """Largest of the workers' integers."""
    if not distributed.is_initialized():
        return value
    largest = torch.tensor(value)
    distributed.all_reduce(largest, op=distributed.ReduceOp.MAX)
    return int(largest)


def sum_gradients(parameters: Sequence[nn.Parameter], scale: Tensor) -> None:
    """Replace every gradient by its sum over workers times a scale, in one message.

    A parameter that no loss of this step reached counts as gradient zero, so that all workers
    send messages of one shape.

    Args:
        parameters: the same ones, in the same order, on every worker.
        scale: scalar, equal on every worker.
    """
    gradients = [
        torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for parameter in parameters
    ]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    _sum_in_place(flat)
    flat *= scale
    pieces = torch.split(flat, [gradient.numel() for gradient in gradients])
    for parameter, piece in zip(parameters, pieces, strict=True):
        parameter.grad = piece.view_as(parameter)


def _sum_in_place(values: Tensor) -> None:
    if distributed.is_initialized():
        distributed.all_reduce(values)
