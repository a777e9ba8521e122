"""Which arithmetic a training takes, and what computes in it."""

from __future__ import annotations

import pytest
import torch

from grove.training import precision as precisions
from grove.training.precision import fast_precision, large_products


@pytest.mark.parametrize(
    ("device", "able", "expected"),
    [
        ("cpu", {"amx_bf16": True, "avx512_bf16": True}, "bf16"),
        ("cpu", {"amx_bf16": False, "avx512_bf16": True}, "bf16"),
        ("cpu", {"amx_bf16": False, "avx512_bf16": False, "avx512_f": True}, "fp32"),
        ("cuda:0", {"amx_bf16": True}, "fp32"),
    ],
)
def test_bfloat16_is_for_processors_that_multiply_it(monkeypatch, device, able, expected):
    monkeypatch.setattr(precisions.torch.cpu, "get_capabilities", lambda: able)
    assert fast_precision(device) == expected


def test_a_processor_that_does_not_say_is_taken_at_float32(monkeypatch):
    monkeypatch.setattr(precisions.torch.cpu, "get_capabilities", dict)
    assert fast_precision("cpu") == "fp32"


def test_only_what_is_inside_is_computed_short():
    square = torch.ones(2, 2)
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        with large_products(precision, "cpu"):
            assert (square @ square).dtype == dtype
        assert (square @ square).dtype == torch.float32
