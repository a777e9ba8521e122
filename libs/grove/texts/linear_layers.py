"""Low-precision linear layers in which a token's result does not depend on the other tokens.

Notation: R rows (tokens), I inputs, O outputs.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_INPUTS = 384
"""Longest sum that the bfloat16 kernel computes alone.

For longer sums the kernel's order of addition depends on the number of tokens and threads: from 512
inputs on, results differed in the last bit on a Xeon with AMX; with 384 they never did.
"""
_LARGEST = 127
"""Steps on each side of zero; −128 has no positive counterpart and is not used."""
_LEAST_SCALE = torch.finfo(torch.float32).tiny
"""Scale of a row with equal values only, to avoid a division by zero."""


class BlockedLinear(nn.Module):
    """A bfloat16 linear layer that sums blocks of its inputs in float32, in a fixed order.

    Args:
        linear: bfloat16 layer, I inputs and O outputs.
    """

    bias: Tensor | None
    """[O] bfloat16"""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        blocks = torch.split(linear.weight.detach(), MOST_INPUTS, dim=1)
        self.blocks = nn.ParameterList(
            nn.Parameter(block.contiguous(), requires_grad=False) for block in blocks
        )
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Compute y = Wx + b as a sum over blocks of I.

        Args:
            inputs: [..., I] bfloat16.

        Returns:
            [..., O] bfloat16.
        """
        # Slices of a row are not contiguous, and for such rows torch selects another kernel with
        # another order of addition.
        parts = [part.contiguous() for part in torch.split(inputs.flatten(0, -2), MOST_INPUTS, 1)]
        outputs = functional.linear(parts[0], self.blocks[0], self.bias)  # [R, O]
        if len(parts) > 1:
            # The kernel rounds each block to bfloat16. Their sum is float32, so that it is rounded
            # only once more, and its order is that of the loop.
            sums = outputs.float()
            for part, block in zip(parts[1:], self.blocks[1:], strict=True):
                sums += functional.linear(part, block)
            outputs = sums.to(inputs.dtype)
        return outputs.view(*inputs.shape[:-1], -1)


class Int8Linear(nn.Module):
    """A trained linear layer in int8: y = s_x · s_w · (q_x · q_w) + z_x · Σw + b.

    Every token has its own scale s_x and zero point z_x, every output its own scale s_w. One scale
    per batch, the usual choice, would make the vector of a text depend on its batch.

    Source: "LLM.int8()", Sections "8-bit Data Types and Quantization" (inputs by zero point,
    weights by largest magnitude) and "Vector-wise Quantization",
    https://arxiv.org/abs/2208.07339. Deviation: no 16-bit matmul of outlier features, which the
    paper needs from 6.7 billion weights on.

    Args:
        linear: float32 layer, I inputs and O outputs.
    """

    weight: Tensor
    """[I, O] int8"""
    scales: Tensor
    """[O] float32, size of one step of each output's weights."""
    totals: Tensor
    """[O] float32, sum Σw of each output's quantised weights."""
    bias: Tensor | None
    """[O] float32"""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()  # [O, I]
        scales = (weight.abs().amax(1, keepdim=True) / _LARGEST).clamp_min_(_LEAST_SCALE)  # [O, 1]
        # Symmetric: weights are centred on zero, so they need no zero point, and the product
        # has one correction term (`totals`) instead of three.
        steps = (weight / scales).round_()  # [O, I]
        self.register_buffer("weight", steps.T.to(torch.int8).contiguous())
        self.register_buffer("scales", scales[:, 0].clone())
        # Of the rounded weights, not the trained ones: it corrects for what the kernel multiplies.
        self.register_buffer("totals", (steps * scales).sum(1))
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Quantise the inputs and multiply; the int32 sums of the int8 matmul are exact.

        Args:
            inputs: [..., I] float32.

        Returns:
            [..., O] float32.
        """
        steps, scales, zeros = quantize_rows(inputs.flatten(0, -2))  # [R, I], [R, 1], [R, 1]
        # Integer sums do not depend on the order of addition, so neither on the batch.
        sums = torch._int_mm(steps, self.weight)  # [R, O] int32
        outputs = sums.float().mul_(scales).mul_(self.scales).addcmul_(zeros, self.totals)  # [R, O]
        if self.bias is not None:
            outputs += self.bias
        return outputs.view(*inputs.shape[:-1], -1)


def quantize_rows(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Quantise each row to 255 steps between its minimum and maximum: x ≈ z + s · q.

    Args:
        rows: [R, I] float32.

    Returns:
        [R, I] int8, steps q in −127 .. 127; [R, 1] float32, size s of a step of each row; and
        [R, 1] float32, its zero point z, the value of step 0.

    Example:
        >>> steps, scales, zeros = quantize_rows(torch.tensor([[0.0, 1.27, 2.54]]))
        >>> steps.tolist(), round(scales.item(), 4), round(zeros.item(), 4)
        ([[-127, 0, 127]], 0.01, 1.27)
    """
    # `aminmax` takes nine times as long as these two.
    lowest, highest = rows.amin(1, keepdim=True), rows.amax(1, keepdim=True)  # [R, 1] each
    scales = ((highest - lowest) / (2 * _LARGEST)).clamp_min_(_LEAST_SCALE)  # [R, 1]
    steps = (rows - lowest).div_(scales).round_().sub_(_LARGEST)  # [R, I]
    return steps.to(torch.int8), scales, lowest + _LARGEST * scales


def replace_linear_layers(model: nn.Module, make: Callable[[nn.Linear], nn.Module]) -> None:
    """Replace every linear layer of a model, in place.

    Args:
        model: trained model.
        make: returns the replacement of a layer.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            # torch's attention has a subclass and reads its weights directly, so it must stay.
            if type(child) is nn.Linear:
                setattr(module, name, make(child))
