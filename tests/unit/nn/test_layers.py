"""The halves of a layer: the fast causal path, a mask, and one token at a time agree."""

from __future__ import annotations

import pytest
import torch

from grove.nn.layers import FeedForward, SelfAttention

WIDTH, TOKENS = 8, 5


@pytest.fixture
def attention():
    torch.manual_seed(0)
    return SelfAttention(WIDTH, heads=2, dropout=0.5).eval()


def test_no_mask_is_the_causal_mask(attention):
    tokens = torch.randn(3, TOKENS, WIDTH)
    causal = torch.ones(TOKENS, TOKENS, dtype=torch.bool).tril().expand(3, 1, -1, -1)
    assert torch.allclose(attention(tokens), attention(tokens, causal), atol=1e-6)
    assert not torch.allclose(attention(tokens), attention(tokens, ~causal | causal), atol=1e-3)


def test_a_masked_token_is_read_by_itself_only(attention):
    tokens = torch.randn(1, TOKENS, WIDTH)
    alone = torch.eye(TOKENS, dtype=torch.bool)[None, None]
    single = attention(tokens.transpose(0, 1)).transpose(0, 1)  # each token its own row
    assert torch.allclose(attention(tokens, alone), single, atol=1e-6)


def test_one_token_more_is_the_next_position(attention):
    tokens = torch.randn(3, TOKENS, WIDTH)
    _, keys, values = attention.project(tokens[:, :-1])
    last, keys, _ = attention.extend(tokens[:, -1], keys, values)
    assert torch.allclose(last, attention(tokens)[:, -1], atol=1e-6)
    assert keys.shape == (3, 2, TOKENS, WIDTH // 2)


@pytest.mark.parametrize(("dropout", "hidden_dropout"), [(0.5, 0.0), (0.0, 0.5)])
def test_each_dropout_acts_in_training_only(dropout, hidden_dropout):
    torch.manual_seed(0)
    half = FeedForward(WIDTH, 4, dropout=dropout, hidden_dropout=hidden_dropout)
    tokens = torch.randn(3, WIDTH)
    assert not torch.equal(half(tokens), half(tokens))
    half.eval()
    assert torch.equal(half(tokens), half(tokens))
