"""Hyper-parameters read from the options of a training: absent ones get their defaults here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

Options = TypeVar("Options")


def read_options(kind: type[Options], options: Mapping[str, Any]) -> Options:
    """Build a dataclass of hyper-parameters from the options that have its fields' names.

    Args:
        kind: a dataclass; a field with a default may be absent from the options.
        options: of a training; those of other names are ignored.

    Returns:
        The hyper-parameters.

    Example:
        >>> read_options(LoopOptions, {"epochs": 2, "batch_size": 8, "learning_rate": 0.1}).epochs
        2
    """
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: options[name] for name in names if name in options})


@dataclass(frozen=True, kw_only=True)
class LoopOptions:
    """Duration, learning rate and optimiser of a training; the same for every system."""

    epochs: int
    """Passes over the histories."""
    batch_size: int
    """Users per step and worker."""
    learning_rate: float
    """Peak of the schedule."""
    weight_decay: float = 5e-3
    """Weight decay of AdamW."""
    clip_norm: float = 1.0
    """Largest gradient norm per parameter group."""
    warm_up_share: float = 0.1
    """Share of the steps in which the learning rate rises."""
    adam_beta1: float = 0.9
    """Decay of AdamW's mean of gradients."""
    adam_beta2: float = 0.95
    """Decay of AdamW's mean of squared gradients."""


@dataclass(frozen=True, kw_only=True)
class SamplingOptions:
    """Sampling of the items of a step; the same for every system."""

    unknown_share: float = 0.1
    """Share of a step's items whose id is hidden."""
    full_softmax_items: int = 20_000
    """Up to this many items the softmax runs over the whole catalogue."""
    sampled_items: int = 8_192
    """Negatives drawn per step above that."""
