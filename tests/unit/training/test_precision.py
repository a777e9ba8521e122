"""Precision of a training, and the operations that use it."""

from __future__ import annotations

import pytest
import torch

from grove.training import precision as precisions
from grove.training.precision import fast_precision, large_products


@pytest.mark.parametrize(
    ("device", "tiles", "expected"),
    [("cpu", True, "bf16"), ("cpu", False, "fp32"), ("cuda:0", True, "fp32")],
)
def test_bfloat16_is_for_processors_with_amx_bf16(monkeypatch, device, tiles, expected):
    monkeypatch.setattr(precisions.torch.cpu, "get_capabilities", lambda: {"amx_bf16": tiles})
    assert fast_precision(device) == expected


def test_a_processor_of_unknown_features_uses_float32(monkeypatch):
    monkeypatch.setattr(precisions.torch.cpu, "get_capabilities", dict)
    assert fast_precision("cpu") == "fp32"


def test_only_matmuls_inside_the_block_use_the_precision():
    square = torch.ones(2, 2)
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        with large_products(precision, "cpu"):
            assert (square @ square).dtype == dtype
        assert (square @ square).dtype == torch.float32
