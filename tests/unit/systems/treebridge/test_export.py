"""The exported programs equal the model, need torch alone, and are written whole or not at all."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from tests.unit.systems.treebridge.small_generator import (
    CAPACITY,
    ITEMS,
    MAX_EVENTS,
    TEXT_WIDTH,
    TREES,
    WALKS,
    WIDTH,
    codes_of_trees,
    histories,
    save_generator,
    shop_items,
)

from grove.errors import DataError
from grove.features.event_fields import KIND
from grove.features.model_metadata import read_metadata
from grove.features.vocabulary import load_vocabulary
from grove.inference.load import last_events
from grove.nn.embeddings import at_cuts
from grove.systems.treebridge.beam import beam_search
from grove.systems.treebridge.decoder_scorer import DecoderScorer
from grove.systems.treebridge.export import ServedBy, export_treebridge
from grove.systems.treebridge.exported import MANIFEST_FILE, load_export
from grove.systems.treebridge.fusion import rank_candidates
from grove.systems.treebridge.programs import HISTORY_FIELDS
from grove.systems.treebridge.search import load_searcher
from grove.systems.treebridge.search_tree import eligible_items, live_items

pytestmark = pytest.mark.slow

TOLERANCE = 1e-5
SERVED_BY = ServedBy(
    release_id="2026-08-20.1", encoder="abc", beam=3, fusion="max", new_item_bonus=1.5
)
SEARCH = {"beam": 3, "fusion": "sum", "new_item_bonus": 0.0}
BATCHES = [1, 2, 7, 130]


@pytest.fixture(scope="module", params=["item_score", "slot"])
def exported(request, tmp_path_factory):
    """Folder of a model, its programs, and the same model with the items of a day."""
    weight = float(request.param == "slot")
    folder = save_generator(tmp_path_factory.mktemp("model"), request.param, item_weight=weight)
    target = folder.parent / f"export_{request.param}"
    export_treebridge(folder, target, served_by=SERVED_BY)
    searcher = load_searcher(folder, shop_items(ITEMS), codes_of_trees(ITEMS), **SEARCH)
    return target, load_export(target), searcher


def close(one, other):
    return one.shape == other.shape and torch.allclose(one, other, atol=TOLERANCE, rtol=0)


def sequences_of(searcher, users):
    generator = np.random.default_rng(users)
    walks = [generator.integers(ITEMS, size=1 + row % MAX_EVENTS).tolist() for row in range(users)]
    return searcher.inputs.encoder.encode(histories(walks)).batch(np.arange(users))


@pytest.mark.parametrize("users", BATCHES)
def test_users_are_encoded_as_by_the_module(exported, users):
    _, programs, searcher = exported
    batch = sequences_of(searcher, users)
    vectors = searcher.item_vectors[batch.item_rows]
    states = searcher.model.users(batch, vectors)
    named = {**batch.fields, "events": batch.fields[KIND.name]}
    named |= {"recency": batch.recency, "times": batch.times}
    history = torch.stack([named[field] for field in HISTORY_FIELDS], dim=-1)
    found = programs.programs["users"](history, vectors, batch.lengths)
    assert close(found, at_cuts(states, last_events(batch))[:, 0])


def test_items_are_encoded_as_by_the_module(exported):
    _, programs, searcher = exported
    features = searcher.inputs.features
    for some in (slice(1, None), slice(1, 2)):
        given = (features.ids[some], features.attributes[some], features.text[some])
        assert close(programs.programs["items"](*given), searcher.item_vectors[some])


@pytest.mark.parametrize("users", BATCHES)
@pytest.mark.parametrize("tree", sorted(TREES))
def test_paths_are_scored_as_by_the_module(exported, users, tree):
    _, programs, searcher = exported
    torch.manual_seed(users)
    decoder, run = searcher.model.decoder(tree), programs.programs
    states = torch.randn(users, WIDTH)
    keywords = torch.randn(users, TEXT_WIDTH) * (torch.arange(users) % 2)[:, None]
    outputs, state = decoder.begin(states, keywords)
    scores, keys, values, prefixes = run[f"{tree}.begin"](states, keywords)
    assert close(scores, decoder.level_logits(outputs, state.prefixes, 0))
    for level, size in enumerate(TREES[tree]):
        chosen = torch.randint(len(keys), (2 * len(keys) - 1,))
        codes = torch.randint(size, chosen.shape)
        outputs, state = decoder.extend(state.select(chosen), level, codes)
        scores, keys, values, prefixes = run[f"{tree}.extend_{level}"](
            keys, values, prefixes, chosen, codes
        )
        if level + 1 < len(TREES[tree]):
            assert close(scores, decoder.level_logits(outputs, state.prefixes, level + 1))
    assert close(keys, state.keys)
    assert close(values, state.values)
    assert torch.equal(prefixes, state.prefixes)
    leaf = torch.randn(len(scores), CAPACITY, WIDTH)
    answered = scores if decoder.decodes_slot else (leaf @ scores[..., None])[..., 0]
    assert close(answered, decoder.leaf_logits(outputs, leaf))


@pytest.mark.parametrize("tree", sorted(TREES))
def test_the_beam_finds_the_same_items_by_programs_and_by_the_module(exported, tree):
    _, programs, searcher = exported
    users = len(WALKS)
    torch.manual_seed(1)
    given = {
        "states": torch.randn(users, WIDTH),
        "keywords": torch.zeros(users, TEXT_WIDTH),
        "item_vectors": searcher.item_vectors,
    }
    paths = searcher.trees[tree]
    eligible = eligible_items(paths, np.arange(ITEMS) % 5 > 0)
    live = live_items(paths, eligible, [np.array(walk) for walk in WALKS])
    by_module, by_programs = (
        rank_candidates(beam_search(scorer, paths, live, beam=2, minimum=6), k=6)
        for scorer in (
            DecoderScorer(decoder=searcher.model.decoder(tree), **given),
            programs.scorer(tree, **given),
        )
    )
    assert (by_module[0] >= 0).all()
    assert np.array_equal(by_module[0], by_programs[0])
    assert np.allclose(by_module[1], by_programs[1], atol=TOLERANCE)


def test_the_manifest_describes_the_inputs_and_outputs_of_programs(exported):
    folder, programs, searcher = exported
    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    assert manifest["torch"] == torch.__version__
    assert manifest["model_version"] == searcher.inputs.saved.metadata.model_version
    assert manifest["level_sizes"] == TREES
    assert manifest["weighs_items"] is searcher.weighs_items is (manifest["leaf_step"] == "slot")
    assert {name: manifest[name] for name in asdict(SERVED_BY)} == asdict(SERVED_BY)
    generations = searcher.inputs.saved.metadata.generations
    assert manifest["generations"] == generations
    assert set(generations) == set(TREES)
    taken = pq.read_table(folder / "trained_items.parquet")["item_id"]
    assert taken.to_pylist() == searcher.inputs.saved.trained_items.to_pylist()
    assert manifest["max_events"] == MAX_EVENTS
    extends = {f"{tree}.extend_{level}" for tree in TREES for level in range(len(TREES[tree]))}
    assert set(manifest["programs"]) == {"users", "items", *(f"{t}.begin" for t in TREES), *extends}
    for name, described in manifest["programs"].items():
        sizes = {"batch": 3, "events": 4, "items": 5, "attributes": 6, "paths": 7, "chosen": 8}
        given = [zeros_of(one, sizes) for one in described["inputs"]]
        found = programs.programs[name](*given)
        found = found if isinstance(found, tuple) else (found,)
        expected = [zeros_of(one, sizes) for one in described["outputs"]]
        assert [(one.shape, one.dtype) for one in found] == [
            (one.shape, one.dtype) for one in expected
        ]
    assert load_vocabulary(folder) == searcher.inputs.saved.vocabulary


def zeros_of(described, sizes):
    shape = [sizes.get(size, size) for size in described["shape"]]
    return torch.zeros(shape, dtype=getattr(torch, described["dtype"]))


SERVER = """
import json, pathlib, sys, torch
folder = pathlib.Path(sys.argv[1])
manifest = json.loads((folder / "manifest.json").read_text())
names = [name for name in manifest["programs"] if name.startswith("llm.")]
run = {name: torch.export.load(folder / f"{name}.pt2").module() for name in names}
states = torch.ones(5, manifest["width"])
scores, *state = run["llm.begin"](states, torch.zeros(5, manifest["text_width"]))
for level in range(len(manifest["level_sizes"]["llm"])):
    codes = scores.argmax(dim=1)
    scores, *state = run[f"llm.extend_{level}"](*state, torch.arange(5), codes)
assert not [name for name in sys.modules if name.split(".")[0] in ("grove", "pyarrow", "pydantic")]
print(json.dumps(scores.tolist()))
"""


@pytest.mark.parametrize("exported", ["item_score"], indirect=True)
def test_a_server_needs_torch_alone(exported, tmp_path):
    folder, _, searcher = exported
    done = subprocess.run(
        [sys.executable, "-I", "-c", SERVER, str(folder)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    decoder = searcher.model.decoder("llm")
    outputs, state = decoder.begin(torch.ones(5, WIDTH), torch.zeros(5, TEXT_WIDTH))
    for level in range(len(TREES["llm"])):
        codes = decoder.level_logits(outputs, state.prefixes, level).argmax(dim=1)
        outputs, state = decoder.extend(state, level, codes)
    found = torch.tensor(json.loads(done.stdout.splitlines()[-1]))
    assert close(found, decoder.leaf_query(outputs))


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    folder = save_generator(tmp_path / "model")
    written = []

    def save_one(_program, file: Path):
        if written:
            raise OSError("no space left on device")
        written.append(file)
        file.write_bytes(b"half")

    monkeypatch.setattr(torch.export, "save", save_one)
    with pytest.raises(OSError, match="no space"):
        export_treebridge(folder, tmp_path / "export", served_by=SERVED_BY)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert read_metadata(folder).model_version


def test_an_export_is_never_overwritten(tmp_path):
    (tmp_path / "export").mkdir()
    with pytest.raises(DataError, match="never overwritten"):
        export_treebridge(tmp_path / "model", tmp_path / "export", served_by=SERVED_BY)
