"""Precision of a training's largest matmuls."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def fast_precision(device: str) -> Precision:
    """Choose bf16 on a processor with AMX bf16, where it is six times as fast as float32.

    On a processor without AMX it may take several times as long as float32. So weights trained on
    two kinds of processors differ by rounding, as their sums differ anyway.

    Args:
        device: of the training; on an accelerator the precision stays float32.

    Returns:
        What `large_products` takes.
    """
    tiles = bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    return "bf16" if device == "cpu" and tiles else "fp32"


def large_products(precision: Precision, device: str) -> AbstractContextManager[object]:
    """Compute the matmuls of a block in a precision; everything else stays float32.

    Matmuls accumulate in float32 in either. Serving always uses float32, so that an item has one
    vector there.

    Args:
        precision: of the operands.
        device: of the operands.

    Returns:
        A context.

    Example:
        >>> square = torch.ones(2, 2)
        >>> with large_products("bf16", "cpu"):
        ...     (square @ square).dtype
        torch.bfloat16
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(torch.device(device).type, torch.bfloat16)
