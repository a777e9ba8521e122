"""Linear layers that round, in such a way that a token's result does not depend on its company."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

MOST_INPUTS = 384
"""Longest sum that is left to the processor's kernel for bfloat16.

Longer ones are added up in another order for many tokens than for few, and by more threads than
one: 512 inputs and more differed by a last bit on a Xeon with AMX, 384 never did.
"""
_LARGEST = 127
"""Steps on each side of zero; −128 has no counterpart and is not used."""
_LEAST_SCALE = torch.finfo(torch.float32).tiny
"""Of a row whose values are all equal, which has no length to divide by."""


class BlockedLinear(nn.Module):
    """A bfloat16 linear layer that adds up blocks of its inputs in float32, in one order.

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
        """Multiply.

        Args:
            inputs: [..., I] bfloat16.

        Returns:
            [..., O] bfloat16.
        """
        # A kernel takes another way where rows do not lie side by side.
        parts = [part.contiguous() for part in torch.split(inputs.flatten(0, -2), MOST_INPUTS, 1)]
        outputs = functional.linear(parts[0], self.blocks[0], self.bias)  # [R, O]
        if len(parts) > 1:
            sums = outputs.float()
            for part, block in zip(parts[1:], self.blocks[1:], strict=True):
                sums += functional.linear(part, block)
            outputs = sums.to(inputs.dtype)
        return outputs.view(*inputs.shape[:-1], -1)


class Int8Linear(nn.Module):
    """A trained linear layer in int8.

    Every token has a scale and a zero of its own, and every output a scale. One scale for a whole
    batch, which is the usual way, would make a text's vector depend on the batch.

    Source: "LLM.int8()", Sections "8-bit Data Types and Quantization" (inputs by zero point,
    weights by largest magnitude) and "Vector-wise Quantization",
    https://arxiv.org/abs/2208.07339; without its 16-bit products of outlier features, which it
    needs from 6.7 billion weights on.

    Args:
        linear: float32 layer, I inputs and O outputs.
    """

    weight: Tensor
    """[I, O] int8"""
    scales: Tensor
    """[O] float32, what a step of each output's weights is worth."""
    totals: Tensor
    """[O] float32, sum of each output's weights."""
    bias: Tensor | None
    """[O] float32"""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        weight = linear.weight.detach()  # [O, I]
        scales = (weight.abs().amax(1, keepdim=True) / _LARGEST).clamp_min_(_LEAST_SCALE)  # [O, 1]
        steps = (weight / scales).round_()  # [O, I]
        self.register_buffer("weight", steps.T.to(torch.int8).contiguous())
        self.register_buffer("scales", scales[:, 0].clone())
        self.register_buffer("totals", (steps * scales).sum(1))
        self.register_buffer("bias", None if linear.bias is None else linear.bias.detach())

    def forward(self, inputs: Tensor) -> Tensor:
        """Multiply; the sums of the int8 products are exact.

        Args:
            inputs: [..., I] float32.

        Returns:
            [..., O] float32.
        """
        steps, scales, zeros = quantize_rows(inputs.flatten(0, -2))  # [R, I], [R, 1], [R, 1]
        sums = torch._int_mm(steps, self.weight)  # [R, O] int32
        outputs = sums.float().mul_(scales).mul_(self.scales).addcmul_(zeros, self.totals)  # [R, O]
        if self.bias is not None:
            outputs += self.bias
        return outputs.view(*inputs.shape[:-1], -1)


def quantize_rows(rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Round each row to 255 steps from its smallest value to its largest.

    Args:
        rows: [R, I] float32.

    Returns:
        [R, I] int8 steps in −127 .. 127; [R, 1] float32, what a step of each row is worth; and
        [R, 1] float32, what step 0 of it stands for.

    Example:
        >>> steps, scales, zeros = quantize_rows(torch.tensor([[0.0, 1.27, 2.54]]))
        >>> steps.tolist(), round(scales.item(), 4), round(zeros.item(), 4)
        ([[-127, 0, 127]], 0.01, 1.27)
    """
    # `aminmax` does in nine times the time what these two do.
    lowest, highest = rows.amin(1, keepdim=True), rows.amax(1, keepdim=True)  # [R, 1] each
    scales = ((highest - lowest) / (2 * _LARGEST)).clamp_min_(_LEAST_SCALE)  # [R, 1]
    steps = (rows - lowest).div_(scales).round_().sub_(_LARGEST)  # [R, I]
    return steps.to(torch.int8), scales, lowest + _LARGEST * scales


def replace_linear_layers(model: nn.Module, make: Callable[[nn.Linear], nn.Module]) -> None:
    """Replace every linear layer of a model, in place.

    Args:
        model: as it was trained.
        make: makes a layer's replacement.
    """
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            # Attention of torch's own reads the weights of its subclass by itself.
            if type(child) is nn.Linear:
                setattr(module, name, make(child))
