"""Retrievers: what each adapter reads, tied vectors, no leak."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.unit.systems.stars.test_network import ROWS, changed_at, make_batch
from torch import Tensor

from grove.baselines.retriever.network import ADAPTERS, Retriever
from grove.errors import SettingsError
from grove.nn.embeddings import EventEmbedding
from grove.nn.user_encoder import UserEncoder

WIDTH, TEXT_WIDTH = 16, 6
ENCODER = {"width": WIDTH, "layers": 2, "heads": 2, "dropout": 0.0}
NO_ATTRIBUTES = torch.zeros(4, 1, dtype=torch.int64)
TEXT = torch.nn.functional.normalize(
    torch.randn(4, TEXT_WIDTH, generator=torch.Generator().manual_seed(1)), dim=1
)


def small_model(adapter: str) -> Retriever:
    torch.manual_seed(0)
    model = Retriever(ENCODER, adapter, text_width=TEXT_WIDTH, rows=ROWS)
    for parameter in model.parameters():  # tables that start at zero must count here
        torch.nn.init.normal_(parameter, std=0.3)
    if model.items.offsets is not None:
        torch.nn.init.zeros_(model.items.offsets.weight[0].data)
    return model.eval()


def output_width(adapter: str) -> int:
    return TEXT_WIDTH if adapter == "frozen" else WIDTH


def encode(model: Retriever, batch, adapter: str) -> Tensor:
    random = torch.Generator().manual_seed(2)
    table = torch.randn(12, output_width(adapter), generator=random)
    return model(batch, table[batch.item_rows])


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("position", [1, 4])
def test_changing_a_future_event_changes_no_earlier_user(adapter, position):
    model, batch = small_model(adapter), make_batch([6, 6])
    found = encode(model, batch, adapter)
    after = encode(model, changed_at(batch, position), adapter)
    assert found.shape == (2, 6, output_width(adapter))
    assert torch.equal(found[:, :position], after[:, :position])
    assert not torch.allclose(found[:, position:], after[:, position:])


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_padding_changes_nothing(adapter):
    model, long = small_model(adapter), make_batch([3, 6])
    names = [name for name in vars(long) if name not in ("lengths", "fields")]
    first = {name: getattr(long, name)[:1, :3] for name in names}
    fields = {name: values[:1, :3] for name, values in long.fields.items()}
    short = replace(long, **first, fields=fields, lengths=long.lengths[:1])
    padded, alone = encode(model, long, adapter), encode(model, short, adapter)
    assert torch.allclose(padded[:1, :3], alone, atol=1e-5)


def test_all_read_histories_with_treebridges_encoder():
    shapes = {
        tuple((name, value.shape) for name, value in small_model(adapter).users.named_parameters())
        for adapter in ADAPTERS
    }
    assert len(shapes) == 1
    assert all(isinstance(small_model(adapter).users, UserEncoder) for adapter in ADAPTERS)
    assert isinstance(small_model("frozen").users.context, EventEmbedding)


def test_a_frozen_item_is_its_text_vector_without_parameters():
    model = small_model("frozen")
    vectors = model.items(torch.tensor([1, 2, 7, 0]), NO_ATTRIBUTES + 3, TEXT)
    assert torch.equal(vectors, TEXT)
    assert not list(model.items.parameters())


def test_a_linear_item_is_a_linear_map_of_its_text_for_any_id():
    model = small_model("linear")
    vectors = model.items(torch.tensor([1, 2, 7, 0]), NO_ATTRIBUTES, TEXT)
    others = model.items(torch.tensor([5, 1, 1, 3]), NO_ATTRIBUTES + 3, TEXT)
    assert torch.equal(vectors, others)
    middle = model.items(torch.tensor([1]), NO_ATTRIBUTES[:1], (TEXT[:1] + TEXT[1:2]) / 2)
    assert torch.allclose(middle[0], (vectors[0] + vectors[1]) / 2, atol=1e-6)


def test_a_fused_item_is_a_nonlinear_map_of_its_text_plus_its_id():
    model = small_model("fused")
    inner, outer = model.items.text[0], model.items.text[2]
    hidden = (TEXT @ inner.weight.T + inner.bias).clamp_min(0)
    mapped = hidden @ outer.weight.T + outer.bias
    ids = torch.tensor([1, 2, 7, 2])
    vectors = model.items(ids, NO_ATTRIBUTES, TEXT)
    offsets = model.items.offsets.weight[ids]
    assert torch.allclose(vectors[1:], (mapped + offsets)[1:], atol=1e-6)
    assert torch.allclose(vectors[0], mapped[0], atol=1e-6)  # an unknown id adds nothing
    middle = model.items(torch.tensor([1]), NO_ATTRIBUTES[:1], (TEXT[:1] + TEXT[1:2]) / 2)
    assert not torch.allclose(middle[0], (mapped[0] + mapped[1]) / 2, atol=1e-3)


def test_an_untrained_id_adds_nothing():
    torch.manual_seed(0)
    model = Retriever(ENCODER, "fused", text_width=TEXT_WIDTH, rows=ROWS)
    same_text = TEXT[:1].expand(4, -1)
    vectors = model.items(torch.tensor([0, 1, 2, 7]), NO_ATTRIBUTES, same_text)
    assert torch.allclose(vectors, vectors[:1].expand(4, -1), atol=1e-6)


@pytest.mark.parametrize("adapter", ["linear", "fused"])
def test_token_and_item_vector_are_tied(adapter):
    model, batch = small_model(adapter), make_batch([4])
    vectors = torch.randn(1, 4, WIDTH)
    assert torch.equal(model(batch, vectors), model.users(batch, vectors))


def test_frozen_ends_are_linear_maps_to_the_encoders_width_and_back():
    model, batch = small_model("frozen"), make_batch([4])
    vectors = torch.randn(1, 4, TEXT_WIDTH)
    tokens = vectors @ model.token.weight.T + model.token.bias
    states = model.users(batch, tokens)
    expected = states @ model.head.weight.T + model.head.bias
    assert torch.allclose(model(batch, vectors), expected, atol=1e-5)


def test_an_unknown_adapter_is_rejected_by_name():
    with pytest.raises(SettingsError, match=r"one of frozen, linear, fused\n.*linaer"):
        Retriever(ENCODER, "linaer", text_width=TEXT_WIDTH, rows=ROWS)
