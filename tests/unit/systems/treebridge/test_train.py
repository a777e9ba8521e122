"""TreeBridge learns, repeats itself bit by bit, warm-starts, and picks the right targets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from tests.unit.systems.treebridge.tree_shop import CAPACITY, CODES, ITEMS, OPTIONS, TREES, shop
from tests.unit.training import synthetic

from grove.features.model_folder import read_model
from grove.features.model_metadata import read_metadata
from grove.features.vocabulary import load_vocabulary, save_vocabulary
from grove.inference.load import encode_all_items, in_batches
from grove.systems.treebridge.code_tree import build_code_tree
from grove.systems.treebridge.network import TreeBridge
from grove.systems.treebridge.objective import TreeBridgeObjective, TreeBridgeOptions, tree_tensors
from grove.systems.treebridge.search import SearchFilters, load_searcher
from grove.systems.treebridge.train import _tree, codes_file, train_treebridge_worker
from grove.training.first_weights import network_arguments
from grove.training.sampling import target_mask
from grove.training.worker import open_worker

pytestmark = pytest.mark.slow


def searcher_of(folder, items, beam):
    return load_searcher(folder, items, CODES, beam=beam, fusion="sum", new_item_bonus=0.0)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    spec, items, histories = shop(tmp_path_factory.mktemp("shop"))
    train_treebridge_worker(spec.as_json())
    return spec, items, histories


def following_items(histories):
    walks = histories["item_ids"].to_pylist()
    return np.array([(int(walk[-1][4:]) + 1) % ITEMS for walk in walks])


def trees_curve(trained):
    return read_metadata(trained[0].output_folder).curve


def test_it_learns_the_transitions(trained):
    spec, items, histories = trained
    curve = read_metadata(spec.output_folder).curve
    assert len(curve) == OPTIONS["epochs"]
    assert curve[-1] < 0.6 * curve[0]
    rows, scores = searcher_of(spec.output, items, beam=50).recommend(histories, k=5)
    following = following_items(histories)
    assert (rows == following[:, None]).any(axis=1).mean() > 0.6  # by chance 0.125
    assert (np.diff(scores, axis=1) <= 0).all()


def test_the_same_input_gives_the_same_bits(trained, tmp_path):
    spec, _, _ = trained
    again = spec.as_json() | {"output": str(tmp_path / "again")}
    train_treebridge_worker(again)
    assert read_metadata(tmp_path / "again") == read_metadata(spec.output_folder)


def test_the_metadata_names_the_generations(trained):
    spec, _, _ = trained
    assert read_metadata(spec.output_folder).generations == OPTIONS["generations"]


def test_a_warm_start_without_new_events_all_but_keeps_the_weights(trained, tmp_path):
    spec, _, _ = trained
    update = spec.as_json() | {
        "output": str(tmp_path / "update"),
        "warm_start": spec.output,
        "learned_through": spec.through,
        "options": {**spec.options, "epochs": 1},
    }
    train_treebridge_worker(update)
    before, after = read_model(spec.output_folder), read_model(tmp_path / "update")
    for name, value in before.weights.items():
        assert torch.allclose(value, after.weights[name], rtol=1e-3), name  # weight decay


def test_a_warm_start_keeps_its_rows_when_items_are_added(trained, tmp_path):
    spec, items, histories = trained
    inputs = tmp_path / "inputs"
    grown, _, _ = shop(inputs)
    save_vocabulary(inputs, load_vocabulary(inputs).grow(["item999"]))
    update = grown.as_json() | {
        "output": str(tmp_path / "update"),
        "warm_start": spec.output,
        "learned_through": spec.through,
        "options": {**spec.options, "epochs": 1},
    }
    train_treebridge_worker(update)
    before = searcher_of(spec.output, items, beam=50).recommend(histories, k=5)
    after = searcher_of(tmp_path / "update", items, beam=50).recommend(histories, k=5)
    assert np.array_equal(before[0], after[0])


def test_a_slot_can_be_decoded_instead(tmp_path):
    spec, items, histories = shop(tmp_path, options={"leaf_step": "slot", "epochs": 8})
    train_treebridge_worker(spec.as_json())
    curve = read_metadata(spec.output_folder).curve
    assert curve[-1] < 0.8 * curve[0]
    rows, _ = searcher_of(spec.output, items, beam=50).recommend(histories, k=5)
    assert (rows >= 0).all()


def test_the_item_loss_trains_states_and_vectors(trained, tmp_path):
    spec, items, histories = shop(tmp_path, options={"item_weight": 1.0})
    train_treebridge_worker(spec.as_json())
    assert read_metadata(spec.output_folder).curve[0] > trees_curve(trained)[0]
    searcher = searcher_of(spec.output, items, beam=50)
    states = in_batches(histories, searcher.inputs.encoder, searcher._states)
    best = (states @ searcher.item_vectors[1:].numpy().T).argsort(axis=1)[:, -5:]
    following = following_items(histories)
    assert (best == following[:, None]).any(axis=1).mean() > 0.6  # by chance 0.125
    rows, _ = searcher.recommend(histories, k=5)
    assert (rows == following[:, None]).any(axis=1).mean() > 0.6


def test_without_the_item_loss_item_scores_stay_unused(trained):
    spec, items, _ = trained
    assert not searcher_of(spec.output, items, beam=50).weighs_items


@pytest.mark.parametrize(("item_weight", "asked"), [(0.0, False), (0.5, False), (0.5, True)])
def test_the_loss_is_the_trees_plus_the_cross_entropy_among_all_items(tmp_path, item_weight, asked):
    spec, items, _ = shop(tmp_path, options={"item_weight": item_weight, "unknown_share": 0.0})
    shape = {"trees": TREES, "capacity": CAPACITY}
    with open_worker(spec) as inputs:
        model = TreeBridge(
            encoder={"width": 16, "layers": 1, "heads": 2, "dropout": 0.0},
            **shape,
            text_width=12,
            rows=network_arguments(inputs, {})["rows"],
        ).eval()
        objective = TreeBridgeObjective(
            model=model,
            inputs=inputs,
            trees={name: _tree(inputs, shape, name) for name in TREES},
            weights=dict.fromkeys(TREES, 1.0),
            options=TreeBridgeOptions(item_weight=item_weight, keyword_share=1.0),
            query_vectors=torch.zeros(1, 12),
        )
        batch = inputs.sequences.batch(np.arange(5))
        # Positions with a keyword have no item loss: here those of a few users, at every event.
        silent = torch.ones(len(batch.item_rows), 1) > 0
        if asked:
            silent[:2] = False
            batch = replace(batch, queries=(~silent).long().expand_as(batch.queries))
            objective = replace(objective, query_vectors=torch.eye(2, 12) - torch.eye(1, 12))
        with torch.no_grad():
            found, count = objective(batch)
            trees, _ = replace(objective, options=TreeBridgeOptions(keyword_share=1.0))(batch)
            vectors = encode_all_items(model.items, inputs.features)  # [N+1, D]
            states = model.users(batch, vectors[batch.item_rows])[:, :-1]  # [B, T-1, D]
            shares = (states @ vectors[1:].T).log_softmax(dim=2)  # [B, T-1, N]
        positives, mask = batch.item_rows[:, 1:], target_mask(batch)
        entropy = -shares.gather(2, (positives - 1).clamp_min(0)[..., None])[..., 0]
        entropy = entropy[mask & silent].sum()
    assert len(items) == ITEMS
    assert float(count) == int(mask.sum())
    assert float(found) == pytest.approx(float(trees + item_weight * entropy), rel=1e-4)


def test_an_item_without_a_path_is_no_target(tmp_path, monkeypatch):
    spec, _, histories = shop(tmp_path, options={"epochs": 1})
    without = set()
    for name, codes in CODES.items():
        pq.write_table(codes.slice(4), tmp_path / codes_file(name))
        without |= set(codes["item_id"].slice(0, 4).to_pylist())
    asked = []
    monkeypatch.setattr("grove.training.worker.learn", lambda *given, **_: asked.append(given))
    train_treebridge_worker(spec.as_json())
    ((_, inputs, objective),) = asked
    loss, count = objective.loss_of(inputs.sequences.batch(np.arange(len(inputs.sequences))))
    following = [item for walk in histories["item_ids"].to_pylist() for item in walk[1:]]
    assert count == sum(item not in without for item in following) < len(following)
    assert torch.isfinite(loss)


def test_an_item_that_joins_counts_as_trained_from_its_first_interaction(trained, tmp_path):
    spec, items, _ = trained
    assert not searcher_of(spec.output, items, beam=2).inputs.cold_items.any()
    offered = synthetic.shop_items(ITEMS + 2)
    names = offered["item_id"].to_pylist()
    walks = [[0, 1, ITEMS]] * 8  # of the two that joined, one has interactions
    folder = tmp_path / "inputs"
    update = synthetic.write_shop(folder, synthetic.histories_of(walks), offered, options=OPTIONS)
    save_vocabulary(folder, load_vocabulary(spec.output_folder).grow(names))
    for name, codes in CODES.items():
        pq.write_table(codes, folder / codes_file(name))
    train_treebridge_worker(
        update.as_json()
        | {
            "output": str(tmp_path / "update"),
            "warm_start": spec.output,
            "options": {**spec.options, "epochs": 1},
        }
    )
    searcher = searcher_of(tmp_path / "update", offered, beam=2)
    assert names[-1] in searcher.inputs.saved.vocabulary.items
    assert searcher.inputs.cold_items.tolist() == [False] * (ITEMS + 2) + [True]


def test_queries_start_the_decoder(tmp_path):
    spec, items, histories = shop(tmp_path, options={"epochs": 2})
    vectors = synthetic.shop_items(3, seed=9)["text_vector"]
    pq.write_table(
        pa.table({"query": ["a", "b", "c"], "vector": vectors}), tmp_path / "query_vectors.parquet"
    )
    index = histories.column_names.index("queries")
    asked = [["a"] * len(events) for events in histories["item_ids"].to_pylist()]
    pq.write_table(
        histories.set_column(index, "queries", pa.array(asked)), tmp_path / "histories.parquet"
    )
    train_treebridge_worker(spec.as_json())
    searcher = searcher_of(spec.output, items, beam=50)
    keywords = np.tile(np.array(vectors.to_pylist()[0], dtype=np.float32), (len(histories), 1))
    _, silent = searcher.recommend(histories, k=5)
    _, searched = searcher.recommend(
        histories, k=5, filters=SearchFilters(keyword_vectors=keywords)
    )
    assert not np.allclose(silent, searched)


def test_the_tensors_hold_the_paths_and_leaves_of_items():
    paths = np.array([[0, 1], [2, 0], [-1, -1], [0, 0], [0, 1]])
    tree = build_code_tree(paths, np.array([1, 0, -1, 0, 0]), capacity=2)
    tensors = tree_tensors(tree, [3, 2], "cpu")
    assert tensors.placed.tolist() == [False, True, True, False, True, True]
    assert tensors.paths[[1, 2, 4, 5]].tolist() == [[0, 1], [2, 0], [0, 0], [0, 1]]
    assert tensors.slots[[1, 2, 4, 5]].tolist() == [1, 0, 0, 0]
    assert tensors.leaf_rows[tensors.leaves[1]].tolist() == [5, 1]
    assert tensors.leaf_rows[tensors.leaves[4]].tolist() == [4, 0]
    first, second = tensors.allowed
    assert first.tolist() == [[True, False, True]]
    assert second[tensors.parents[2, 1]].tolist() == [True, False]
