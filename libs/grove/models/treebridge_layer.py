"""The two halves of a transformer layer, with attention that can also go one token at a time.

Shapes: B rows, S tokens, D width, H heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

FEED_FORWARD_FACTOR = 2


class SelfAttention(nn.Module):
    """Pre-norm causal self-attention with a residual.

    Args:
        width: D.
        heads: H, a divisor of D.
        dropout: probability, on what is added.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Let every token read itself and those before it: [B, S, D] → [B, S, D]."""
        query, key, value = self.project(tokens)
        return tokens + self._joined(
            functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        )

    def project(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of tokens: [B, S, D] → three times [B, H, S, D/H]."""
        batch, length, width = tokens.shape
        projected = self.query_key_value(self.norm(tokens))  # [B, S, 3D]
        split = projected.view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        return query, key, value

    def extend(self, token: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Let one more token read itself and the tokens before it.

        Args:
            token: [B, D].
            keys: [B, H, S, D/H] of the tokens before it.
            values: [B, H, S, D/H].

        Returns:
            [B, D], and keys and values with the new token's, [B, H, S+1, D/H].
        """
        query, key, value = self.project(token[:, None])
        keys, values = torch.cat([keys, key], dim=2), torch.cat([values, value], dim=2)
        read = functional.scaled_dot_product_attention(query, keys, values)  # [B, H, 1, D/H]
        return token + self._joined(read)[:, 0], keys, values

    def _joined(self, read: Tensor) -> Tensor:
        joined: Tensor = self.dropout(self.output(read.transpose(1, 2).flatten(2)))
        return joined  # [B, S, D]


class FeedForward(nn.Module):
    """Pre-norm feed-forward half of a layer, with a residual.

    Args:
        width: D.
        dropout: probability.
    """

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, FEED_FORWARD_FACTOR * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(FEED_FORWARD_FACTOR * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform each token alone: [..., D] → [..., D]."""
        transformed: Tensor = tokens + self.inner(tokens)
        return transformed
