"""One tree to be searched, and a generator over it: trained, or with random weights.

It is searched as a day's trees are, by the module and by the exported programs, and by scoring
every item.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from tests.benchmarks.exhaustive import exhaustive_search
from tests.benchmarks.topic_shop import (
    EVENTS,
    SHAPE,
    TEXT_WIDTH,
    train_model,
    write_topic_shop,
)
from torch import nn

from grove.features.model_folder import save_model
from grove.features.model_metadata import ModelMetadata
from grove.features.vocabulary import Vocabulary
from grove.inference.load import in_batches, last_events, load_network
from grove.nn.embeddings import at_cuts
from grove.settings.models import TreeBridgeSettings
from grove.systems.treebridge.beam import beam_search
from grove.systems.treebridge.code_tree import build_code_tree, read_code_tree
from grove.systems.treebridge.decoder import CodeDecoder
from grove.systems.treebridge.decoder_scorer import DecoderScorer
from grove.systems.treebridge.export import ServedBy, export_treebridge
from grove.systems.treebridge.exported import ExportedTreeBridge, load_export
from grove.systems.treebridge.fusion import rank_candidates
from grove.systems.treebridge.item_scores import weigh_items
from grove.systems.treebridge.network import TreeBridge
from grove.systems.treebridge.search_tree import SearchTree, live_items, search_tree
from grove.systems.treebridge.train import codes_file
from grove.systems.treebridge.trees.shape import fit_level_sizes

SHOPPERS, EPOCHS = 2_048, 4
TOGETHER = 512
"""Users there are states of."""
CUTOFFS = (50, 100)
RANDOM_STD = 0.3
SERVED_BY = ServedBy(release_id="none", encoder="none", beam=200, fusion="sum", new_item_bonus=0.0)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One tree to be searched for users."""

    name: str
    decoder: CodeDecoder
    tree: SearchTree
    item_vectors: torch.Tensor
    states: torch.Tensor
    programs: ExportedTreeBridge

    def scorer(self, users: slice) -> DecoderScorer:
        """The module, for some of the users."""
        return DecoderScorer(
            decoder=self.decoder,
            states=self.states[users],
            keywords=torch.zeros(len(self.states[users]), TEXT_WIDTH),
            item_vectors=self.item_vectors,
        )

    def search(
        self, users: slice, *, beam: int, exported: bool = False, weighed: bool = True
    ) -> np.ndarray:
        """Lists of some users by the beam, [U, k]; weighed by the item scores, as served."""
        module = self.scorer(users)
        scorer: Any = module
        if exported:
            scorer = self.programs.scorer(
                "llm", module.states, module.keywords, module.item_vectors
            )
        no_exclusions = [np.zeros(0, dtype=np.int64)] * len(self.states[users])
        live = live_items(self.tree, self.tree.placed, no_exclusions)
        most = max(CUTOFFS)
        found = beam_search(scorer, self.tree, live, beam=beam, minimum=most)
        if weighed:
            found = weigh_items(
                {"llm": found},
                states=module.states,
                keywords=module.keywords,
                item_vectors=module.item_vectors,
            )["llm"]
        return rank_candidates(found, k=most)[0]

    def score_all(self, users: slice, *, weighed: bool = True) -> np.ndarray:
        """Lists of some users by scoring every item, [U, k]."""
        own = self.states[users] @ self.item_vectors[1:].T if weighed else None
        found = exhaustive_search(self.scorer(users), self.tree, k=max(CUTOFFS), own=own)
        order = found.log_probabilities.argsort(dim=1, descending=True, stable=True)
        return found.rows.gather(1, order).numpy()


def trained_case(folder: Path) -> Case:
    """The tree of the topic shop, with a generator trained on it."""
    spec, table, histories = write_topic_shop(folder, SHOPPERS)
    train_model("TreeBridge", spec, EPOCHS)
    model, inputs, vectors = load_network(TreeBridge, spec.output, table)

    def encode(batch: Any) -> np.ndarray:
        states = model.users(batch, vectors[batch.item_rows])
        return at_cuts(states, last_events(batch))[:, 0].numpy()

    states = in_batches(histories.slice(0, TOGETHER), inputs.encoder, encode)
    codes = read_code_tree(
        pq.read_table(folder / codes_file("llm")),
        table["item_id"].combine_chunks(),
        capacity=SHAPE.leaf_capacity,
    )
    return make_case(folder, model, vectors, search_tree(codes), torch.from_numpy(states))


def random_case(folder: Path, count: int) -> Case:
    """A tree of the shape that many items would have, and a generator with random weights."""
    sizes = fit_level_sizes(SHAPE, count)
    leaves, slots = np.arange(count) % np.prod(sizes), np.arange(count) // np.prod(sizes)
    paths = np.stack(np.unravel_index(leaves, sizes), axis=1)
    tree = search_tree(build_code_tree(paths, slots, capacity=SHAPE.leaf_capacity))
    defaults, vocabulary = TreeBridgeSettings(), Vocabulary()
    fields = ("items", "attributes", "event_types", "regions", "devices", "weathers", "promotions")
    arguments = {
        "encoder": defaults.model_dump(include={"width", "layers", "heads", "dropout"}),
        "trees": {"llm": list(sizes)},
        "capacity": SHAPE.leaf_capacity,
        "text_width": TEXT_WIDTH,
        "rows": {name: vocabulary.rows(name) for name in fields} | {"positions": EVENTS},
        "leaf_step": defaults.leaf_step,
    }
    torch.manual_seed(1)
    model = TreeBridge(**arguments).eval()
    for parameter in model.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=RANDOM_STD)
    model.requires_grad_(requires_grad=False)
    metadata = ModelMetadata(arguments=arguments, max_events=EVENTS)
    save_model(folder / "model", model, vocabulary, metadata)
    vectors, states = (torch.randn(rows, defaults.width) for rows in (count + 1, TOGETHER))
    return make_case(folder, model, vectors, tree, states)


def make_case(
    folder: Path,
    model: TreeBridge,
    item_vectors: torch.Tensor,
    tree: SearchTree,
    states: torch.Tensor,
) -> Case:
    """Export the model of `folder / "model"`, and name the case by its shape."""
    export_treebridge(folder / "model", folder / "export", served_by=SERVED_BY)
    return Case(
        name="/".join(str(level.shape[0]) for level in tree.codes) + " nodes",
        decoder=model.decoder("llm"),
        tree=tree,
        item_vectors=item_vectors,
        states=states,
        programs=load_export(folder / "export"),
    )
