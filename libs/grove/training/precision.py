"""The arithmetic a training takes for its largest products."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

Precision = Literal["fp32", "bf16"]
FAST_IN_BFLOAT16 = ("amx_bf16", "avx512_bf16")
"""What processors that multiply bfloat16 say they can, by tiles or by vectors."""


def fast_precision(device: str) -> Precision:
    """Choose bfloat16 where a processor multiplies it: with tiles six times as fast, else twice.

    On one that does not, it may take several times as long as float32. So weights that were
    learnt on processors of two kinds differ by rounding, as sums on them differ anyway.

    Args:
        device: what the training runs on; on an accelerator it stays float32.

    Returns:
        What `large_products` takes.
    """
    told = torch.cpu.get_capabilities()
    fast = device == "cpu" and any(told.get(name, False) for name in FAST_IN_BFLOAT16)
    return "bf16" if fast else "fp32"


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
