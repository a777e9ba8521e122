"""STARS: leak trap, padding, tied item vectors."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from grove.features.sequences import SequenceBatch
from grove.systems.stars.network import Stars, attention_mask
from grove.systems.stars.user_vectors import UserVectors

ROWS = {
    "items": 12,
    "attributes": 9,
    "event_types": 5,
    "regions": 4,
    "devices": 4,
    "weathers": 4,
    "promotions": 4,
    "positions": 10,
}
FIELDS = ("event_types", "regions", "devices", "weathers", "promotions")


def make_batch(lengths: list[int], seed: int = 1) -> SequenceBatch:
    random = torch.Generator().manual_seed(seed)
    shape = (len(lengths), max(lengths))
    present = torch.arange(shape[1]) < torch.tensor(lengths)[:, None]

    def draw(rows: int) -> Tensor:
        return torch.randint(1, rows, shape, generator=random) * present

    return SequenceBatch(
        items=draw(12),
        item_rows=draw(12),
        fields={name: draw(ROWS[name]) for name in FIELDS},
        recency=draw(20),
        queries=torch.zeros(shape, dtype=torch.int64),
        times=torch.cumsum(draw(90_000), dim=1) * present,
        fresh=present,
        lengths=torch.tensor(lengths),
    )


@pytest.fixture
def model() -> Stars:
    torch.manual_seed(0)
    model = Stars(16, 3, heads=2, text_width=8, rows=ROWS)
    for parameter in model.parameters():  # tables start at zero: fill them, so they matter
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def encode(model: Stars, batch: SequenceBatch, cuts: Tensor) -> UserVectors[Tensor]:
    table = torch.randn(12, 16, generator=torch.Generator().manual_seed(2))
    users: UserVectors[Tensor] = model(batch, table[batch.item_rows], cuts)
    return users


def changed_at(batch: SequenceBatch, position: int) -> SequenceBatch:
    """Another item, kind, place and time at one position of every history."""

    def changed(values: Tensor) -> Tensor:
        values = values.clone()
        values[:, position] = values[:, position] % 3 + 1
        return values

    others = {name: changed(getattr(batch, name)) for name in ("item_rows", "recency", "times")}
    fields = {name: changed(batch.fields[name]) for name in ("event_types", "regions", "devices")}
    return replace(batch, **others, fields={**batch.fields, **fields})


@pytest.mark.parametrize("position", [1, 3, 5])
def test_changing_a_future_event_changes_no_earlier_trained_output(model, position):
    batch = make_batch([6, 6])
    cuts = torch.tensor([[0, 2, 5], [1, 3, 4]])
    users = encode(model, batch, cuts)
    after = encode(model, changed_at(batch, position), cuts)
    assert torch.equal(users.h_next[:, :position], after.h_next[:, :position])
    before = cuts < position
    assert torch.equal(users.h_gen[before], after.h_gen[before])
    assert not torch.allclose(users.h_next[:, position], after.h_next[:, position])
    assert not torch.allclose(users.h_gen[~before], after.h_gen[~before])


def test_item_positions_do_not_read_the_user_token(model):
    batch = make_batch([6, 6])
    one = encode(model, batch, torch.tensor([[5], [5]]))
    three = encode(model, batch, torch.tensor([[0, 1, 2], [3, 4, 5]]))
    assert torch.allclose(one.h_next, three.h_next, atol=1e-6)


def test_user_tokens_do_not_read_each_other(model):
    batch = make_batch([6, 6])
    alone = encode(model, batch, torch.tensor([[2], [2]])).h_gen
    among = encode(model, batch, torch.tensor([[5, 2], [4, 2]])).h_gen
    assert torch.allclose(alone[:, 0], among[:, 1], atol=1e-6)


def test_padding_changes_nothing(model):
    long = make_batch([3, 6])
    names = [name for name in vars(long) if name not in ("fields", "lengths")]
    first = {name: getattr(long, name)[:1, :3] for name in names}
    first["fields"] = {name: values[:1, :3] for name, values in long.fields.items()}
    short = replace(long, **first, lengths=long.lengths[:1])
    padded = encode(model, long, torch.tensor([[2], [2]]))
    alone = encode(model, short, torch.tensor([[2]]))
    assert torch.allclose(padded.h_next[:1, :3], alone.h_next, atol=1e-5)
    assert torch.allclose(padded.h_gen[:1], alone.h_gen, atol=1e-5)


def test_mask_lets_every_token_read_itself_and_nothing_after_its_cut():
    mask = attention_mask(torch.tensor([[1, 0]]), 3)[0, 0]
    assert mask.int().tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 0, 0, 0, 1],
    ]


def test_item_offset_starts_at_zero_and_an_unknown_item_never_has_one():
    torch.manual_seed(0)
    model = Stars(16, 1, heads=2, text_width=8, rows=ROWS)
    text = torch.nn.functional.normalize(torch.randn(1, 8), dim=1).expand(3, 8)
    attributes = torch.tensor([[2, 3]]).expand(3, 2)
    ids = torch.tensor([1, 2, 7])
    fresh = model.items(ids, attributes, text)
    assert torch.allclose(fresh[0], fresh[1], atol=1e-6)
    with torch.no_grad():
        model.items.offsets.weight[2:].normal_()
    learnt = model.items(ids, attributes, text)
    assert torch.allclose(learnt[0], fresh[0], atol=1e-6)
    assert not torch.allclose(learnt[1], fresh[1])


def test_no_history_at_all_is_no_error(model):
    batch = make_batch([1])
    names = [name for name in vars(batch) if name != "fields"]
    none = {name: values[:0] for name, values in batch.fields.items()}
    no_users = replace(batch, **{name: getattr(batch, name)[:0] for name in names}, fields=none)
    users = encode(model, no_users, torch.zeros(0, 0, dtype=torch.int64))
    assert users.h_next.shape == (0, 1, 16)
    assert users.h_gen.shape == (0, 0, 16)
