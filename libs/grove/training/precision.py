"""The arithmetic a training takes for its largest products."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]


def fast_precision(device: str) -> Precision:
    """Choose bfloat16 where a processor multiplies tiles of it, which is six times as fast there.

    On a processor without them it may take several times as long as float32. So weights that were
    learnt on processors of two kinds differ by rounding, as sums on them differ anyway.

    Args:
        device: what the training runs on; on an accelerator it stays float32.

    Returns:
        What `large_products` takes.
    """
    tiles = bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    return "bf16" if device == "cpu" and tiles else "fp32"


def large_products(precision: Precision, device: str) -> AbstractContextManager[object]:
    """Compute the products inside in a precision; weights, gradients and all else stay float32.

    A product's sum is float32 in either. Serving never computes so: an item has one vector there.

    Args:
        precision: of the products' factors.
        device: of the factors.

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
