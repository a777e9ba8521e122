"""The generator: no leak, step by step equals all at once, probabilities sum to one."""

from __future__ import annotations

import math
from itertools import product
from types import SimpleNamespace

import pytest
import torch

from grove.features.event_fields import EVENT_FIELDS, KIND
from grove.systems.treebridge.decoder import CodeDecoder
from grove.systems.treebridge.network import ItemEmbedding, TreeBridge
from grove.systems.treebridge.path_loss import PathTargets, masked_cross_entropy, path_loss

WIDTH, TEXT_WIDTH, EVENTS, CAPACITY = 16, 6, 7, 3
ROWS = {
    "items": 12,
    "attributes": 5,
    "event_types": 4,
    "regions": 3,
    "devices": 3,
    "weathers": 3,
    "promotions": 3,
    "positions": EVENTS,
}


def small_model(leaf_step="item_score"):
    torch.manual_seed(1)
    model = TreeBridge(
        {"width": WIDTH, "layers": 2, "heads": 4, "dropout": 0.0},
        {"llm": [3, 2], "cf": [2, 2]},
        capacity=CAPACITY,
        text_width=TEXT_WIDTH,
        rows=ROWS,
        leaf_step=leaf_step,
    )
    for parameter in model.parameters():  # tables that start at zero must count here
        if parameter.dim() == 2:
            torch.nn.init.normal_(parameter, std=0.3)
    torch.nn.init.zeros_(model.items.offsets.weight[0].data)
    return model.eval()


def random_batch(users=3):
    torch.manual_seed(2)
    drawn = {field.name: torch.randint(0, 3, (users, EVENTS)) for field in EVENT_FIELDS}
    recency = torch.randint(0, 3, (users, EVENTS))
    times = torch.randint(0, 10**6, (users, EVENTS))
    return SimpleNamespace(fields=drawn, recency=recency, times=times)


def test_an_event_changes_no_earlier_state():
    model, batch = small_model(), random_batch()
    vectors = torch.randn(3, EVENTS, WIDTH)
    states = model.users(batch, vectors)
    for position in range(EVENTS):
        changed = vectors.clone()
        changed[:, position] += 1
        others = SimpleNamespace(**vars(batch))
        kinds = batch.fields[KIND.name].clone()
        kinds[:, position] = (kinds[:, position] + 1) % 3
        others.fields = {**batch.fields, KIND.name: kinds}
        after = model.users(others, changed)
        assert torch.equal(after[:, :position], states[:, :position])
        assert not torch.allclose(after[:, position:], states[:, position:])


def test_text_passes_through_more_than_one_layer():
    torch.manual_seed(0)
    text = ItemEmbedding(8, 6, {"items": 4, "attributes": 3}).text
    one, other = torch.randn(2, 5, 6)
    with torch.no_grad():
        straight = text(one) + text(other) - text(torch.zeros(5, 6))
        assert not torch.allclose(text(one + other), straight, atol=1e-3)


def test_an_unknown_item_is_its_text_and_attributes():
    model = small_model()
    text, attributes = torch.randn(2, TEXT_WIDTH), torch.tensor([[2, 0], [3, 2]])
    unknown = model.items(torch.tensor([1, 1]), attributes, text)
    expected = model.items.text(text) + model.items.attributes(attributes)
    assert torch.equal(unknown, expected)


def test_an_id_only_item_is_its_id_and_an_unknown_one_is_zero():
    torch.manual_seed(0)
    items = ItemEmbedding(8, TEXT_WIDTH, {"items": 6, "attributes": 4}, item_input="id")
    assert set(items.state_dict()) == {"offsets.weight"}
    text, attributes = torch.randn(3, TEXT_WIDTH), torch.tensor([[2], [3], [2]])
    vectors = items(torch.tensor([2, 3, 1]), attributes, text)
    assert torch.equal(vectors[:2], items.offsets.weight[2:4])
    assert not torch.equal(vectors[0], vectors[1])
    assert (vectors[2] == 0).all()


def test_step_by_step_decoding_equals_teacher_forcing():
    decoder = small_model().decoder("llm")
    states, paths = torch.randn(4, WIDTH), torch.tensor([[0, 1], [2, 0], [1, 1], [0, 0]])
    keywords = torch.randn(4, TEXT_WIDTH) * torch.tensor([[1.0], [0.0], [1.0], [0.0]])
    forced = decoder(states, keywords, paths)
    output, state = decoder.begin(states, keywords)
    assert torch.allclose(output, forced[:, 0], atol=1e-6)
    for level in range(2):
        output, state = decoder.extend(state, level, paths[:, level])
        assert torch.allclose(output, forced[:, level + 1], atol=1e-6)


def test_a_code_is_scored_by_its_shared_vector_and_its_node_embedding():
    decoder = small_model().decoder("llm")
    sizes, outputs = (3, 2), torch.randn(3, WIDTH)
    shared, own = decoder.code_logits[1], decoder.own_logits[0].vectors.weight
    found = decoder.level_logits(outputs, torch.arange(sizes[0]), 1)
    for parent, code in product(range(sizes[0]), range(sizes[1])):
        vector = shared.weight[code] + own[parent, code * WIDTH : (code + 1) * WIDTH]
        expected = outputs[parent] @ vector + shared.bias[code]
        assert found[parent, code].item() == pytest.approx(expected.item(), abs=1e-5)


def test_a_new_decoder_has_shared_vectors_only():
    decoder = CodeDecoder(WIDTH, [3, 2, 2], heads=4, keyword_width=TEXT_WIDTH, slots=0)
    outputs = torch.randn(1, WIDTH).expand(6, -1)
    scores = decoder.level_logits(outputs, torch.arange(6), 2)
    assert torch.equal(scores, scores[:1].expand(6, -1))


def test_prefixes_distinguish_all_paths():
    decoder = CodeDecoder(WIDTH, [3, 2, 4], heads=4, keyword_width=TEXT_WIDTH, slots=0)
    _, state = decoder.begin(torch.randn(24, WIDTH), torch.zeros(24, TEXT_WIDTH))
    assert state.prefixes.tolist() == [0] * 24
    paths = torch.tensor(list(product(range(3), range(2), range(4))))
    for level in range(3):
        _, state = decoder.extend(state, level, paths[:, level])
    assert state.prefixes.tolist() == list(range(24))
    assert state.select(torch.tensor([5, 5, 0])).prefixes.tolist() == [5, 5, 0]


@pytest.mark.parametrize(("sizes", "levels"), [([3], 0), ([300, 100, 50, 10], 1), ([8, 8, 8], 2)])
def test_levels_of_many_paths_have_shared_vectors_only(sizes, levels):
    decoder = CodeDecoder(8, sizes, heads=4, keyword_width=TEXT_WIDTH, slots=0)
    assert len(decoder.own_logits) == levels
    last = len(sizes) - 1
    scores = decoder.level_logits(torch.randn(2, 8), torch.tensor([0, 1]), last)
    assert scores.shape == (2, sizes[last])


def test_a_code_is_predicted_without_seeing_it():
    decoder = small_model().decoder("llm")
    states, keywords = torch.randn(1, WIDTH), torch.zeros(1, TEXT_WIDTH)
    first = decoder(states, keywords, torch.tensor([[0, 0]]))
    second = decoder(states, keywords, torch.tensor([[0, 1]]))
    assert torch.equal(first[:, :2], second[:, :2])
    assert not torch.allclose(first[:, 2], second[:, 2])


def test_the_keyword_is_the_start_token_only_where_there_is_one():
    decoder = small_model().decoder("cf")
    states, paths = torch.randn(1, WIDTH), torch.tensor([[0, 0]])
    silent = decoder(states, torch.zeros(1, TEXT_WIDTH), paths)
    searched = decoder(states, torch.randn(1, TEXT_WIDTH), paths)
    assert not torch.allclose(silent, searched)


def all_items_of_a_tree():
    """Eight items in three leaves; code 1 and path (2, 1) do not exist."""
    leaves = [(0, 0, 3), (0, 1, 2), (2, 0, 3)]
    return [(first, second, slot, size) for first, second, size in leaves for slot in range(size)]


def targets_of(items, vectors):
    """PathTargets of every item, for one user."""
    offsets = {(0, 0): 0, (0, 1): 3, (2, 0): 5}
    leaf_vectors, occupied = [], []
    for first, second, _, size in items:
        start = offsets[first, second]
        rows = torch.zeros(CAPACITY, WIDTH)
        rows[:size] = vectors[start : start + size]
        leaf_vectors.append(rows)
        occupied.append([slot < size for slot in range(CAPACITY)])
    return PathTargets(
        paths=torch.tensor([[first, second] for first, second, _, _ in items]),
        allowed=(
            torch.tensor([[True, False, True]] * len(items)),
            torch.tensor([[True, first == 0] for first, _, _, _ in items]),
        ),
        leaf_vectors=torch.stack(leaf_vectors),
        occupied=torch.tensor(occupied),
        slots=torch.tensor([slot for _, _, slot, _ in items]),
    )


@pytest.mark.parametrize("leaf_step", ["item_score", "slot"])
def test_the_probabilities_of_all_items_sum_to_one(leaf_step):
    decoder = small_model(leaf_step).decoder("llm")
    items = all_items_of_a_tree()
    states = torch.randn(1, WIDTH).expand(len(items), -1)
    targets = targets_of(items, torch.randn(len(items), WIDTH))
    losses = path_loss(decoder, states, torch.zeros(len(items), TEXT_WIDTH), targets)
    assert (-losses).exp().sum().item() == pytest.approx(1, abs=1e-5)


def reference_masked_cross_entropy(logits, allowed, target):
    weights = [math.exp(score) for score, open_ in zip(logits, allowed, strict=True) if open_]
    return math.log(sum(weights)) - logits[target]


def test_masked_cross_entropy_against_the_plain_sum():
    torch.manual_seed(3)
    logits, allowed = torch.randn(20, 5, dtype=torch.float64), torch.rand(20, 5) < 0.5
    targets = torch.randint(0, 5, (20,))
    allowed[torch.arange(20), targets] = True
    losses = masked_cross_entropy(logits, allowed, targets)
    for row in range(20):
        expected = reference_masked_cross_entropy(
            logits[row].tolist(), allowed[row].tolist(), int(targets[row])
        )
        assert losses[row].item() == pytest.approx(expected, abs=1e-12)


def test_an_unknown_tree_is_an_error():
    with pytest.raises(KeyError):
        small_model().decoder("other")


def test_the_slot_is_decoded_without_looking_at_items():
    decoder = small_model("slot").decoder("llm")
    assert isinstance(decoder, CodeDecoder)
    outputs = torch.randn(2, WIDTH)
    first = decoder.leaf_logits(outputs, torch.zeros(2, CAPACITY, WIDTH))
    assert first.shape == (2, CAPACITY)
    assert torch.equal(first, decoder.leaf_logits(outputs, torch.ones(2, CAPACITY, WIDTH)))
