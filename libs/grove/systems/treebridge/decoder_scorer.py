"""`PathScorer` of one tree's decoder.

Shapes: U users, W paths, N items, K_l codes of level l, τ leaf capacity, D width, E keyword width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from grove.systems.treebridge.decoder import CodeDecoder, DecoderState

PATHS_AT_ONCE = 2_048
"""Paths whose next codes are scored together: each copies its node's K_l · D numbers. For 128 users
at a beam of 200, with 100 codes and width 128, all paths at once would take 1.2 GiB."""


@dataclass(frozen=True)
class DecoderStep:
    """[U, W] paths: the decoder's output at their last code, and its state.

    Args:
        outputs: [U, W, D].
        state: of U · W paths.
    """

    outputs: Tensor
    state: DecoderState


@dataclass(frozen=True, kw_only=True)
class DecoderScorer:
    """One tree's decoder, for `beam_search`."""

    decoder: CodeDecoder
    states: Tensor
    """[U, D] user states."""
    keywords: Tensor
    """[U, E]; a row of zeros is no keyword."""
    item_vectors: Tensor
    """[N+1, D], row 0 no item."""

    def start(self) -> DecoderStep:
        """The empty path of every user."""
        outputs, state = self.decoder.begin(self.states, self.keywords)
        return DecoderStep(outputs[:, None], state)

    def code_scores(self, step: DecoderStep, level: int) -> Tensor:
        """Scores of the next code, [U, W, K_l]."""
        outputs = step.outputs.flatten(0, 1)  # [U·W, D]
        prefixes = torch.split(step.state.prefixes, PATHS_AT_ONCE)
        pieces = zip(torch.split(outputs, PATHS_AT_ONCE), prefixes, strict=True)
        scores = torch.cat([self.decoder.level_logits(*of, level=level) for of in pieces])
        return scores.view(*step.outputs.shape[:2], scores.shape[1])

    def follow(self, step: DecoderStep, level: int, paths: Tensor, codes: Tensor) -> DecoderStep:
        """Extend chosen paths by one code each."""
        users, width, channels = step.outputs.shape
        rows = torch.arange(users)[:, None] * width + paths  # [U, W']
        outputs, state = self.decoder.extend(
            step.state.select(rows.flatten()), level, codes.flatten()
        )
        return DecoderStep(outputs.view(*codes.shape, channels), state)

    def leaf_scores(self, step: DecoderStep, leaf_items: Tensor) -> Tensor:
        """Scores of each leaf's items, [U, W, τ]."""
        vectors = functional.embedding(leaf_items + 1, self.item_vectors)  # [U, W, τ, D]
        return self.decoder.leaf_logits(step.outputs, vectors)
