"""A low-precision layer follows its definition, stays close to the original layer, and
gives every row a result of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.texts.tiny_decoder import tiny_config
from torch import Tensor, nn
from transformers import Qwen3Model

from grove.texts.linear_layers import (
    MOST_INPUTS,
    BlockedLinear,
    Int8Linear,
    quantize_rows,
    replace_linear_layers,
)

SEEDS = st.integers(0, 10_000)


def make_linear(seed: int, inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(inputs, outputs, bias=bias)


def reference_int8_linear(linear: nn.Linear, inputs: Tensor) -> np.ndarray:
    """Token by token and output by output, in Python's own numbers."""
    result = []
    for row in inputs.tolist():
        lowest, step = min(row), (max(row) - min(row)) / 254
        steps = [round((value - lowest) / step) for value in row]
        rounded = [lowest + step * count for count in steps]
        for weights, bias in zip(linear.weight.tolist(), linear.bias.tolist(), strict=True):
            unit = max(map(abs, weights)) / 127
            products = (a * round(b / unit) * unit for a, b in zip(rounded, weights, strict=True))
            result.append(sum(products) + bias)
    return np.array(result).reshape(len(inputs), -1)


def test_int8_equals_the_matmul_of_rounded_values() -> None:
    linear = make_linear(3, 24, 10)
    inputs = torch.randn(7, 24)
    with torch.inference_mode():
        found = Int8Linear(linear)(inputs).numpy()
    np.testing.assert_allclose(found, reference_int8_linear(linear, inputs), atol=1e-5)


@given(SEEDS, st.integers(1, 9), st.integers(1, 70), st.integers(1, 40), st.booleans())
@torch.inference_mode()
def test_int8_is_within_half_a_step(
    seed: int, rows: int, inputs: int, outputs: int, bias: bool
) -> None:
    linear = make_linear(seed, inputs, outputs, bias=bias)
    given_rows = torch.randn(rows, inputs) * 10 ** torch.randn(rows, 1)
    found, exact = Int8Linear(linear)(given_rows), linear(given_rows)
    lowest, highest = given_rows.aminmax(dim=1, keepdim=True)
    half = (highest - lowest) / 508  # [R, 1]
    half_weight = linear.weight.abs().amax(1) / 254  # [O]
    allowed = (
        half * linear.weight.abs().sum(1)
        + half_weight * given_rows.abs().sum(1, keepdim=True)
        + half * half_weight * inputs
    )  # [R, O]
    largest = given_rows.abs().amax(1, keepdim=True)
    assert ((found - exact).abs() <= allowed * 1.001 + 1e-5 * (1 + largest)).all()


@given(SEEDS, st.integers(1, 9), st.sampled_from([5, MOST_INPUTS, MOST_INPUTS + 1, 1000]))
@torch.inference_mode()
def test_blocks_add_up_to_the_layer(seed: int, rows: int, inputs: int) -> None:
    linear = make_linear(seed, inputs, 7, bias=seed % 2 == 0).bfloat16()
    given_rows = torch.randn(rows, inputs).bfloat16()
    found = BlockedLinear(linear)(given_rows)
    assert found.dtype == torch.bfloat16
    exact = linear.float()(given_rows.float())
    np.testing.assert_allclose(found.float().numpy(), exact.numpy(), atol=0.03)


@given(SEEDS, st.integers(2, 300), st.sampled_from([8, 33, 384, 1536]))
@settings(max_examples=30)
@torch.inference_mode()
def test_the_result_of_a_row_does_not_depend_on_other_rows(
    seed: int, rows: int, width: int
) -> None:
    linear = make_linear(seed, width, 64)
    # A neighbour a thousand times as large would dominate a shared scale.
    inputs = torch.randn(rows, width) * torch.logspace(0, 3, rows)[:, None]
    check_rows(Int8Linear(linear), inputs)
    check_rows(BlockedLinear(linear.bfloat16()), inputs.bfloat16())


def check_rows(layer: nn.Module, inputs: Tensor) -> None:
    together = layer(inputs)
    assert torch.equal(layer(inputs[None])[0], together)
    for row in {0, len(inputs) // 2, len(inputs) - 1}:
        assert torch.equal(layer(inputs[row : row + 1])[0], together[row])


def test_a_row_of_equal_values_is_exact() -> None:
    linear = make_linear(5, 8, 4)
    rows = torch.tensor([0.0, 3.5, -1e-30])[:, None].expand(3, 8)
    steps, scales, zeros = quantize_rows(rows)
    np.testing.assert_allclose((steps * scales + zeros).numpy(), rows.numpy(), rtol=1e-6)
    with torch.inference_mode():
        assert torch.equal(Int8Linear(linear)(rows)[0], linear.bias.detach())


def test_the_ends_of_a_row_are_kept() -> None:
    rows = torch.tensor([[1e-6, -3.0, 0.2], [5.0, 6.0, 5.9]])
    steps, scales, zeros = quantize_rows(rows)
    assert steps.tolist() == [[111, -127, 127], [-127, 127, 102]]
    values = (steps * scales + zeros).numpy()
    np.testing.assert_allclose(values.max(1), rows.amax(1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(values.min(1), rows.amin(1).numpy(), rtol=1e-6)


@pytest.mark.parametrize("bias", [False, True])
def test_every_linear_layer_of_a_model_is_replaced_and_nothing_else(bias: bool) -> None:
    model = Qwen3Model(tiny_config(20, attention_bias=bias))
    kinds = {name: type(module) for name, module in model.named_modules()}
    replace_linear_layers(model, Int8Linear)
    replaced = {name: type(module) for name, module in model.named_modules()}
    assert set(replaced) == set(kinds)
    changed = {name for name in kinds if kinds[name] is not replaced[name]}
    assert changed == {name for name, kind in kinds.items() if kind is nn.Linear}
    assert len(changed) == 2 * 7
    assert {replaced[name] for name in changed} == {Int8Linear}
    assert (model.layers[0].self_attn.q_proj.bias is not None) == bias
