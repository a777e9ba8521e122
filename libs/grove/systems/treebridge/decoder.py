"""The decoder of one tree: from a user state to the codes of a path, level by level.

Shapes: P predictions, L levels, K_l codes of level l, τ slots, D width, E keyword width, H heads.
A *prefix* is a path so far as one number, its codes being the digits; the empty one is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from grove.nn.layers import FeedForward, SelfAttention

TOKENS_BEFORE_CODES = 2
"""The user state and the start token."""
START_STD = 0.02
FEED_FORWARD_FACTOR = 2
"""Width of a feed-forward half's hidden units, as a multiple of D."""
MOST_OWN_VECTORS = 65_536
"""A level with more possible paths has shared vectors only. At width 128 so many node embeddings
take 32 MiB, and four times as much in training."""


@dataclass(frozen=True)
class DecoderState:
    """State of a decoder for P paths: keys and values of their tokens so far.

    Args:
        keys: [P, H, S, D/H].
        values: [P, H, S, D/H].
        prefixes: [P] int64.
    """

    keys: Tensor
    values: Tensor
    prefixes: Tensor

    def select(self, rows: Tensor) -> DecoderState:
        """Continue with other paths: [P'] int64, rows of this state, repetition allowed."""
        # Copies whole rows; indexing would copy single numbers.
        return DecoderState(
            self.keys.index_select(0, rows),
            self.values.index_select(0, rows),
            self.prefixes.index_select(0, rows),
        )


class NodeLogits(nn.Module):
    """Node embeddings of a level: scores of its codes that depend on the prefix.

    Args:
        width: D.
        prefixes: possible paths to the level above.
        size: K_l.
    """

    def __init__(self, width: int, prefixes: int, size: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(prefixes, size * width)
        nn.init.zeros_(self.vectors.weight)

    def forward(self, outputs: Tensor, prefixes: Tensor) -> Tensor:
        """Score codes: [P, D] and [P] int64 → [P, K_l]."""
        vectors = self.vectors(prefixes).unflatten(1, (-1, outputs.shape[1]))  # [P, K_l, D]
        return (vectors @ outputs[..., None])[..., 0]


class CodeDecoder(nn.Module):
    """One causal layer over [user state, start token, code 1, …, code L].

    The start token is the projected keyword where the user searched, else a learned vector. The
    output at the start token predicts code 1, the output at code l predicts code l + 1, and the
    output at code L ranks the leaf's items.

    A code is scored by a vector that all nodes with this code share, as they share the codebook,
    plus a node embedding under each parent, which starts at zero. Without the latter, only the
    output could distinguish nodes with the same code.

    There is no dropout here: the user states that it starts from have theirs.

    Source: TreeBridge, equation 1 and Implementation Details (1 layer, width 128, 8 heads).
    Deviations: node embeddings; a learned start token without a keyword; feed-forward factor 2,
    which the paper does not state; the softmaxes of `path_loss`.

    Args:
        width: D.
        level_sizes: K_1 .. K_L.
        heads: H.
        keyword_width: E.
        slots: τ when the slot is decoded as a last code; 0 when items are scored.
    """

    def __init__(
        self,
        width: int,
        level_sizes: Sequence[int],
        *,
        heads: int,
        keyword_width: int,
        slots: int,
    ) -> None:
        super().__init__()
        self.level_sizes = tuple(level_sizes)
        self.codes = nn.ModuleList(nn.Embedding(size, width) for size in level_sizes)
        self.code_logits = nn.ModuleList(nn.Linear(width, size) for size in level_sizes)
        self.own_logits = nn.ModuleList(
            NodeLogits(width, prefixes, size) for prefixes, size in _with_own_vectors(level_sizes)
        )
        self.start = nn.Parameter(torch.randn(width) * START_STD)
        self.keyword = nn.Linear(keyword_width, width)
        self.place = nn.Parameter(
            torch.randn(TOKENS_BEFORE_CODES + len(level_sizes), width) * START_STD
        )
        self.attention = SelfAttention(width, heads, dropout=0.0)
        self.feed_forward = FeedForward(width, FEED_FORWARD_FACTOR, dropout=0.0)
        self.norm = nn.LayerNorm(width)
        self.leaf = nn.Linear(width, slots if slots else width)
        self.decodes_slot = slots > 0

    def forward(self, states: Tensor, keywords: Tensor, paths: Tensor) -> Tensor:
        """Outputs along known paths, all levels at once (teacher forcing).

        Args:
            states: [P, D] user states.
            keywords: [P, E]; a row of zeros is no keyword.
            paths: [P, L] int64 codes.

        Returns:
            [P, L+1, D]: output l predicts code l + 1, the last one the item in the leaf.
        """
        codes = [table(paths[:, level]) for level, table in enumerate(self.codes)]  # L x [P, D]
        tokens = torch.stack([states, self._start(keywords), *codes], dim=1) + self.place
        outputs: Tensor = self.norm(self.feed_forward(self.attention(tokens)))  # [P, L+2, D]
        return outputs[:, 1:]

    def begin(self, states: Tensor, keywords: Tensor) -> tuple[Tensor, DecoderState]:
        """Output before the first code, [P, D], and what to continue from; see `forward`."""
        tokens = torch.stack([states, self._start(keywords)], dim=1)  # [P, 2, D]
        tokens = tokens + self.place[:TOKENS_BEFORE_CODES]
        _, keys, values = self.attention.project(tokens)
        output = self.norm(self.feed_forward(self.attention(tokens)[:, -1]))  # [P, D]
        empty = states.new_zeros(states.shape[:1], dtype=torch.int64)  # [P]
        return output, DecoderState(keys, values, empty)

    def extend(self, state: DecoderState, level: int, codes: Tensor) -> tuple[Tensor, DecoderState]:
        """Append one code to each path.

        Args:
            state: of P paths.
            level: the codes' level, 0 .. L − 1.
            codes: [P] int64.

        Returns:
            Output after the code, [P, D], and the longer paths' state.
        """
        token = self.codes[level](codes) + self.place[TOKENS_BEFORE_CODES + level]  # [P, D]
        token, keys, values = self.attention.extend(token, state.keys, state.values)
        prefixes = self.append_code(state.prefixes, level, codes)
        return self.norm(self.feed_forward(token)), DecoderState(keys, values, prefixes)

    def append_code(self, prefixes: Tensor, level: int, codes: Tensor) -> Tensor:
        """Append a code to each prefix: two [...] int64 arrays → [...] int64."""
        return prefixes * self.level_sizes[level] + codes

    def level_logits(self, outputs: Tensor, prefixes: Tensor, level: int) -> Tensor:
        """Scores of the codes that may follow.

        Args:
            outputs: [P, D].
            prefixes: [P] int64, of the codes before the level's.
            level: 0 .. L − 1.

        Returns:
            [P, K_l].
        """
        logits: Tensor = self.code_logits[level](outputs)
        # At the first level every code has one parent, the root: shared vectors suffice.
        if 1 <= level <= len(self.own_logits):
            logits = logits + self.own_logits[level - 1](outputs, prefixes)
        return logits

    def leaf_logits(self, outputs: Tensor, leaf_vectors: Tensor) -> Tensor:
        """Scores of the slots of a leaf.

        Args:
            outputs: [..., D] at the last code.
            leaf_vectors: [..., τ, D] vectors of the leaf's items by slot; not read when the slot
                is decoded.

        Returns:
            [..., τ], unnormalised; free slots are for the caller to mask.
        """
        query = self.leaf_query(outputs)  # [..., D] or [..., τ]
        return query if self.decodes_slot else (leaf_vectors @ query[..., None])[..., 0]

    def leaf_query(self, outputs: Tensor) -> Tensor:
        """Query of a leaf: the slots' scores, or the vector that scores the items' vectors.

        Args:
            outputs: [..., D] at the last code.

        Returns:
            [..., τ] where the slot is decoded, else [..., D].
        """
        query: Tensor = self.leaf(outputs)
        return query if self.decodes_slot else query / math.sqrt(query.shape[-1])

    def _start(self, keywords: Tensor) -> Tensor:
        searched = keywords.any(dim=-1, keepdim=True)  # [P, 1]
        return torch.where(searched, self.keyword(keywords), self.start)  # [P, D]


def _with_own_vectors(level_sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Prefixes and codes of the levels below the first that are small enough."""
    prefixes = [math.prod(level_sizes[:level]) for level in range(1, len(level_sizes))]
    levels = zip(prefixes, level_sizes[1:], strict=True)
    return [(before, size) for before, size in levels if before * size <= MOST_OWN_VECTORS]
