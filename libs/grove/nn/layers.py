"""The two halves of a transformer layer; attention can also be extended by one token.

Shapes: B rows, S tokens, D width, H heads.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class SelfAttention(nn.Module):
    """Pre-norm self-attention with a residual: x + W_o · attention(norm(x)).

    Args:
        width: D.
        heads: H, a divisor of D.
        dropout: probability, on the residual branch.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Attend to the allowed tokens.

        Args:
            tokens: [B, S, D].
            allowed: [B, 1, S, S] bool, true where the row's token may read the column's; none:
                every token reads itself and those before it.

        Returns:
            [B, S, D].
        """
        query, key, value = self.project(tokens)
        read = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=allowed, is_causal=allowed is None
        )  # [B, H, S, D/H]
        return tokens + self._joined(read)

    def project(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value of tokens: [B, S, D] → three times [B, H, S, D/H]."""
        batch, length, width = tokens.shape
        projected = self.query_key_value(self.norm(tokens))  # [B, S, 3D]
        split = projected.view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        return query, key, value

    def extend(self, token: Tensor, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Attend from one more token to itself and the tokens before it.

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
    """Pre-norm feed-forward half of a layer, with a residual: x + W₂ · relu(W₁ · norm(x)).

    Args:
        width: D.
        factor: width of the hidden units, as a multiple of D.
        dropout: probability, on the residual branch.
        hidden_dropout: probability, on the hidden units.
    """

    def __init__(
        self, width: int, factor: int, *, dropout: float, hidden_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, factor * width),
            nn.ReLU(),
            nn.Dropout(hidden_dropout),
            nn.Linear(factor * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform each token independently: [..., D] → [..., D]."""
        transformed: Tensor = tokens + self.inner(tokens)
        return transformed
