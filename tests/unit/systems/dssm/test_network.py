"""DSSM: unit vectors, no leak, unknown items."""

from __future__ import annotations

import pytest
import torch
from tests.unit.systems.stars.test_network import ROWS, changed_at, make_batch
from torch import Tensor

from grove.systems.dssm.network import Dssm


@pytest.fixture
def model() -> Dssm:
    torch.manual_seed(0)
    model = Dssm(16, 10, text_width=8, rows=ROWS)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def encode(model: Dssm, batch, cuts: Tensor) -> Tensor:
    table = torch.randn(12, 16, generator=torch.Generator().manual_seed(2))
    return model.users(batch, table[batch.item_rows], cuts)


def reference_user(model: Dssm, batch, history: Tensor, cut: int) -> Tensor:
    """One user at one cut, pooled in a loop."""
    tower = model.users
    tokens = (tower.item(history[None]) + tower.context(batch))[0]
    scores = [(tower.attention(tokens[at]) + tower.age[cut - at]).item() for at in range(cut + 1)]
    shares = torch.tensor(scores).softmax(0)
    pooled = sum(share * tokens[at] for at, share in enumerate(shares))
    place = tower.region(batch.fields["regions"][0, cut]) + tower.device(
        batch.fields["devices"][0, cut]
    )
    mixed = tower.mix(torch.cat([pooled, tokens[cut], place]))
    return torch.nn.functional.normalize(pooled + tokens[cut] + mixed, dim=0)


def test_user_tower_equals_its_reference(model):
    batch = make_batch([6])
    table = torch.randn(12, 16, generator=torch.Generator().manual_seed(2))
    found = encode(model, batch, torch.tensor([[0, 3, 5]]))[0]
    for row, cut in enumerate((0, 3, 5)):
        expected = reference_user(model, batch, table[batch.item_rows[0]], cut)
        assert torch.allclose(found[row], expected, atol=1e-5)


@pytest.mark.parametrize("position", [1, 4])
def test_changing_a_future_event_changes_no_earlier_user_vector(model, position):
    batch = make_batch([6, 6])
    cuts = torch.tensor([[0, 3, 5], [2, 4, 5]])
    found = encode(model, batch, cuts)
    after = encode(model, changed_at(batch, position), cuts)
    before = cuts < position
    assert torch.equal(found[before], after[before])
    assert not torch.allclose(found[~before], after[~before])


def test_vectors_have_unit_norm(model):
    users = encode(model, make_batch([6, 2]), torch.tensor([[5], [1]]))
    items = model.items(torch.arange(12), torch.zeros(12, 1, dtype=torch.int64), torch.randn(12, 8))
    assert torch.allclose(users.norm(dim=-1), torch.ones(2, 1), atol=1e-5)
    assert torch.allclose(items.norm(dim=-1), torch.ones(12), atol=1e-5)


def test_unknown_items_are_distinguished_by_their_features_alone(model):
    text = torch.nn.functional.normalize(torch.randn(3, 8), dim=1)
    attributes = torch.tensor([[2, 0], [2, 0], [3, 4]])
    vectors = model.items(torch.ones(3, dtype=torch.int64), attributes, text[[0, 0, 1]])
    assert torch.allclose(vectors[0], vectors[1], atol=1e-6)
    assert not torch.allclose(vectors[0], vectors[2])


def test_an_untrained_id_equals_the_unknown_one():
    torch.manual_seed(0)
    model = Dssm(16, 10, text_width=8, rows=ROWS)
    text = torch.randn(1, 8).expand(2, 8)
    vectors = model.items(torch.tensor([1, 5]), torch.zeros(2, 1, dtype=torch.int64), text)
    assert torch.allclose(vectors[0], vectors[1], atol=1e-6)


def test_an_id_only_model_reads_neither_text_nor_attributes():
    torch.manual_seed(0)
    model = Dssm(16, 10, text_width=8, rows=ROWS, item_input="id")
    ids = torch.tensor([1, 2, 3, 1])
    attributes = torch.tensor([[2], [3], [2], [3]])
    vectors = model.items(ids, attributes, torch.randn(4, 8))
    assert torch.equal(vectors, model.items(ids, attributes.flip(0), torch.randn(4, 8)))
    assert torch.equal(vectors[0], vectors[3])
    assert not torch.allclose(vectors[1], vectors[2])


def test_an_unknown_item_input_is_an_error():
    with pytest.raises(KeyError):
        Dssm(16, 10, text_width=8, rows=ROWS, item_input="ids")
