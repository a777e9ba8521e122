"""Cuts, windows and candidates of a step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.training.synthetic import DAY, histories_of, shop_items, shop_vocabulary

from grove.features.items import item_features
from grove.features.sequences import HistoryEncoder, SequenceBatch
from grove.inference.load import encode_all_items
from grove.systems.dssm.network import ItemTower
from grove.systems.treebridge.network import ItemEmbedding
from grove.training.options import SamplingOptions
from grove.training.sampling import (
    candidate_index,
    candidate_rows,
    hide_ids,
    item_vectors_of_step,
    later_window,
    pick_one,
    sample_cuts,
    strongest_event_weight,
    target_mask,
)

ITEMS = shop_items(10)


def batch_of(rows: list[list[int]], **settings) -> SequenceBatch:
    encoder = HistoryEncoder(
        vocabulary=shop_vocabulary(ITEMS), item_ids=ITEMS["item_id"].combine_chunks(), **settings
    )
    return encoder.encode(histories_of(rows)).batch(np.arange(len(rows)))


def test_some_items_lose_their_id_and_no_item_stays_no_item():
    torch.manual_seed(0)
    ids = torch.cat([torch.zeros(1_000, dtype=torch.int64), torch.arange(2, 20_002)])
    hidden = hide_ids(ids, 0.1)
    assert (hidden[:1_000] == 0).all()
    lost = hidden[1_000:] == 1
    assert 0.09 < lost.float().mean() < 0.11
    assert torch.equal(hidden[1_000:][~lost], ids[1_000:][~lost])


def test_no_item_is_zero_in_training_as_in_inference():
    features = item_features(ITEMS, shop_vocabulary(ITEMS))
    model = ItemTower(8, features.text.shape[1], {"items": 40, "attributes": 40})
    torch.nn.init.normal_(model.text.bias)
    torch.manual_seed(0)
    encoded = encode_all_items(model, features)
    assert (encoded[0] == 0).all()
    # Nearly all ids are visible; their offsets are untrained, so hiding one changes nothing.
    for rows in (torch.tensor([0, 3, 5]), torch.arange(len(encoded))):
        vectors = item_vectors_of_step(model, features, rows, unknown_share=0.1)
        assert vectors.shape == (len(rows), 8)
        assert (vectors[0] == 0).all()
        assert torch.allclose(vectors, encoded[rows], atol=1e-6)


def test_ids_stay_where_nothing_else_is_read():
    features = item_features(ITEMS, shop_vocabulary(ITEMS))
    sizes = {"items": 40, "attributes": 40}
    model = ItemEmbedding(8, features.text.shape[1], sizes, item_input="id")
    rows = torch.arange(features.count + 1)
    for seed in range(50):
        torch.manual_seed(seed)
        assert torch.equal(
            item_vectors_of_step(model, features, rows, unknown_share=0.5)[1:],
            model.offsets.weight[features.ids[1:]],
        )


def test_bf16_matmuls_change_items_and_gradients_little():
    features = item_features(ITEMS, shop_vocabulary(ITEMS))
    torch.manual_seed(0)
    model = ItemEmbedding(8, features.text.shape[1], {"items": 40, "attributes": 40})
    rows, found = torch.arange(6), {}
    for precision in ("fp32", "bf16"):
        torch.manual_seed(0)
        model.zero_grad()
        vectors = item_vectors_of_step(
            model, features, rows, unknown_share=0.1, precision=precision
        )
        (vectors**2).sum().backward()
        found[precision] = torch.cat(
            [vectors.detach().flatten(), model.text[0].weight.grad.flatten()]
        )
    assert found["bf16"].dtype == torch.float32
    assert not torch.equal(found["bf16"], found["fp32"])
    error = (found["bf16"] - found["fp32"]).norm() / found["fp32"].norm()
    assert error < 0.01


def test_cuts_are_distinct_positions_before_a_target():
    torch.manual_seed(0)
    batch = batch_of([[0, 1, 2, 3, 4], [5, 6], [7]])
    cuts, chosen = sample_cuts(batch, most=3, window=2)
    assert chosen.tolist() == [[True] * 3, [True, False, False], [False] * 3]
    assert len(set(cuts[0].tolist())) == 3
    assert cuts[0].max() < 4
    assert cuts[1, 0] == 0


def test_only_fresh_known_items_are_targets():
    batch = batch_of([[0] * 25 + [99, 1]], max_events=30, learned_through=DAY)
    assert not target_mask(batch).any()
    batch = batch_of([[0, 99, 1]])
    assert target_mask(batch).tolist() == [[False, True]]


def test_every_position_is_drawn_eventually():
    torch.manual_seed(0)
    batch = batch_of([[0, 1, 2, 3]])
    drawn = {int(sample_cuts(batch, most=1, window=1)[0]) for _ in range(60)}
    assert drawn == {0, 1, 2}


def test_a_position_counts_when_its_window_has_a_target():
    batch = batch_of([[0, 99, 99, 1]])
    assert sample_cuts(batch, most=3, window=1)[1].sum() == 1
    assert sample_cuts(batch, most=3, window=2)[1].sum() == 2
    assert sample_cuts(batch, most=3, window=9)[1].sum() == 3


def test_ends_of_days_are_chosen_before_other_positions():
    torch.manual_seed(0)
    batch = batch_of([[event % 10 for event in range(50)]])  # one event an hour, up to 23:00
    assert sorted(sample_cuts(batch, most=2, window=1)[0][0].tolist()) == [1, 25]


def test_one_item_of_each_window_is_drawn_and_never_padding():
    torch.manual_seed(0)
    window = torch.tensor([[0, 7, 0], [3, 0, 4]])
    picked = [window.gather(1, pick_one(window)[:, None])[:, 0].tolist() for _ in range(40)]
    assert {first for first, _ in picked} == {7}
    assert {second for _, second in picked} == {3, 4}


def test_a_click_has_the_weight_of_the_order_that_follows():
    batch = batch_of([[3, 4, 3]])
    fields = {**batch.fields, "event_types": torch.tensor([[2, 2, 3]])}
    worth = strongest_event_weight(
        replace(batch, fields=fields), torch.tensor([1.0, 1.0, 1.0, 5.0])
    )
    assert worth.tolist() == [[5.0, 1.0, 5.0]]


def test_window_holds_the_events_after_the_cut():
    batch = batch_of([[0, 1, 2, 3], [4, 5]])
    window = later_window(batch, torch.tensor([[0, 2], [0, 1]]), 2)
    assert window.tolist() == [[[2, 3], [4, 0]], [[6, 0], [0, 0]]]


def test_small_catalogues_are_used_in_full():
    rows, correction = candidate_rows(batch_of([[0, 1]]), 10, SamplingOptions())
    assert rows.tolist() == list(range(1, 11))
    assert not correction.any()


@pytest.mark.parametrize("drawn", [1, 4, 500])
def test_sampled_candidates_hold_the_batch_and_approximate_the_catalogue(drawn):
    torch.manual_seed(0)
    options = SamplingOptions(full_softmax_items=5, sampled_items=drawn)
    rows, correction = candidate_rows(batch_of([[8, 1], [1, 4]]), 10, options)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert {2, 5, 9} <= set(rows.tolist()) <= set(range(1, 11))
    assert correction[torch.isin(rows, torch.tensor([2, 5, 9]))].tolist() == [0.0] * 3
    if len(rows) > 3:
        assert correction.exp().sum().item() == pytest.approx(10, rel=1e-5)


def test_index_points_back_at_the_row():
    rows = torch.tensor([2, 5, 9])
    index = candidate_index(torch.tensor([[9, 0], [2, 5]]), rows)
    assert index.tolist() == [[2, -1], [0, 1]]
