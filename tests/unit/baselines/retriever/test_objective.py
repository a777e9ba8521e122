"""A retriever's loss against one written out user by user and position by position."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.unit.training import synthetic

from grove.baselines.retriever.network import ADAPTERS, Retriever
from grove.baselines.retriever.objective import RetrieverObjective
from grove.training.worker_inputs import read_worker_inputs

ITEMS = 40
ROWS = [[0, 1, 2, 99, 4], [5, 6], [7], [3, 3, 8]]
"""Item 99 is not in the table: no target, and no item in the history."""
ENCODER = {"width": 8, "layers": 1, "heads": 2, "dropout": 0.0}


@pytest.fixture
def inputs(tmp_path):
    histories = synthetic.histories_of(ROWS)
    options = synthetic.OPTIONS | {"unknown_share": 0.0}
    return read_worker_inputs(
        synthetic.write_shop(tmp_path, histories, synthetic.shop_items(ITEMS), options=options)
    )


def small_model(inputs, adapter):
    torch.manual_seed(0)
    width = inputs.features.text.shape[1]
    model = Retriever(ENCODER, adapter, text_width=width, rows=inputs.rows)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def objective_of(inputs, adapter):
    return RetrieverObjective(model=small_model(inputs, adapter), inputs=inputs)


def whole_batch(inputs):
    return inputs.sequences.batch(np.arange(len(ROWS)))


@torch.no_grad()
def reference_loss(objective, batch):
    """Sum of −log share of each target in the whole catalogue, and how many there are."""
    features, model = objective.inputs.features, objective.model
    vectors = model.items(features.ids, features.attributes, features.text)  # row 0 is no item
    vectors = torch.cat([torch.zeros_like(vectors[:1]), vectors[1:]])
    states = model(batch, vectors[batch.item_rows])
    total, count = 0.0, 0
    for user, walk in enumerate(ROWS):
        for place in range(1, len(walk)):
            if walk[place] < ITEMS:
                scores = [float(states[user, place - 1] @ vector) for vector in vectors[1:]]
                total += math.log(sum(map(math.exp, scores))) - scores[walk[place]]
                count += 1
    return total, count


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_loss_equals_its_reference_implementation(inputs, adapter):
    objective, batch = objective_of(inputs, adapter), whole_batch(inputs)
    loss, count = objective(batch)
    expected, predictions = reference_loss(objective, batch)
    assert count.item() == predictions == 6
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert loss.requires_grad


@pytest.mark.parametrize("drawn", [8, 1_000])
def test_a_sample_approximates_the_catalogue(inputs, drawn):
    objective, batch = objective_of(inputs, "linear"), whole_batch(inputs)
    with torch.no_grad():
        full = objective(batch)[0].item()
        options = inputs.spec.options | {"full_softmax_items": 5, "sampled_items": drawn}
        sampled_inputs = replace(inputs, spec=replace(inputs.spec, options=options))
        objective = replace(objective, inputs=sampled_inputs)
        torch.manual_seed(0)
        sampled = np.mean([objective(batch)[0].item() for _ in range(50)])
    assert sampled == pytest.approx(full, rel=1e-5 if drawn == 1_000 else 0.02)


def test_a_batch_without_a_target_is_no_error(inputs):
    objective = objective_of(inputs, "fused")
    loss, count = objective(inputs.sequences.batch(np.array([2])))
    assert (loss.item(), count.item()) == (0.0, 0.0)


def test_only_the_fused_adapter_trains_ids(inputs):
    learnt = {}
    for adapter in ADAPTERS:
        objective = objective_of(inputs, adapter)
        torch.autograd.backward(objective(whole_batch(inputs))[0])
        learnt[adapter] = {
            name for name, value in objective.model.named_parameters() if name.startswith("items.")
        }
        assert all(value.grad is not None for value in objective.model.items.parameters())
    assert learnt["frozen"] == set()
    assert learnt["linear"] == {"items.text.weight", "items.text.bias"}
    assert "items.offsets.weight" in learnt["fused"]
