"""The two vectors of a user, by name: they have one width, so only a name distinguishes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Vectors = TypeVar("Vectors")
"""Tensors where vectors are computed, arrays where items are ranked by them."""


@dataclass(frozen=True, kw_only=True)
class UserVectors(Generic[Vectors]):
    """h_gen and h_next of the same users."""

    h_gen: Vectors
    """[…, D], at [USER]: what the user is interested in for a while."""
    h_next: Vectors
    """[…, D], at the last item: what comes next."""
