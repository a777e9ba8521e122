"""Ranked lists of a set of models: their names, their order, and what they must not hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grove.evaluation.metrics import Targets
from grove.features.model_metadata import ModelMetadata, write_metadata
from grove.inference.products import NO_ITEM
from grove.settings.models import TreeBridgeSettings
from grove.stages import ranked_lists as stage
from grove.stages.encoded import Encoded
from grove.stages.evaluation_set import EvaluationSet
from grove.stages.ranked_lists import ModelSet, oracle_lists, ranked_lists
from grove.stages.vector_models import VectorModel

ITEMS = np.eye(5, dtype=np.float32)
NEXT = np.array([[5, 4, 3, 2, 1]], dtype=np.float32)
"""Scores of the items: 0, 1, 2, 3, 4 is their order."""
GENERAL = NEXT[:, ::-1].copy()


def evaluation_set(**changes: Any) -> EvaluationSet:
    """Ann has a history, Bob has none; item 3 is the most popular of five."""
    none = Targets(np.zeros(0, np.int64), np.zeros(0, np.int64), user_count=2)
    plain = EvaluationSet(
        users=["ann", "bob"],
        item_table=pa.table({"item_id": list("abcde")}),
        new_items=np.zeros(5, bool),
        histories=pa.table({"user_id": ["ann"]}),
        known=np.array([0]),
        targets=none,
        repurchases=none,
        excluded=[np.array([], np.int64)] * 2,
        past_rows=np.array([3, 3, 3, 1, 1, 0]),
        past_days=np.array(["2026-08-19"] * 6, "datetime64[D]"),
        left_out={},
    )
    return replace(plain, **changes)


def vector_model(**users: np.ndarray) -> VectorModel:
    encoded = Encoded(item_vectors=ITEMS, users=lambda _: users)
    return VectorModel(unit_norm=True, train=lambda _: None, load=lambda *_: encoded)


@pytest.fixture
def rank(monkeypatch: pytest.MonkeyPatch):
    """Rank with three models whose lists are known; the tree ranks item 2 first."""
    tree, cf = np.array([[2, 3, 4]]), np.array([[4, 3, 2]])
    models = {
        "stars": vector_model(h_next=NEXT, h_gen=GENERAL),
        "dssm": vector_model(user=GENERAL),
    }
    searched: list[Any] = []

    def search(histories: pa.Table, **given: Any) -> SimpleNamespace:
        searched.append(given)
        scores = np.zeros(tree.shape)
        return SimpleNamespace(fused=(tree, scores), by_tree={"cf": (cf, scores)})

    monkeypatch.setattr(stage, "VECTOR_MODELS", models)
    monkeypatch.setattr(stage, "open_searcher", lambda *_: SimpleNamespace(search=search))

    def ranked(found: EvaluationSet, *systems: str) -> dict[str, np.ndarray]:
        folders = {name: Path(name) for name in systems}
        models = ModelSet(folders=folders, codes={})
        return ranked_lists(models, found, length=3, search=TreeBridgeSettings())

    return SimpleNamespace(lists=ranked, searched=searched)


ALL = ("dssm", "treebridge", "stars")


def test_every_model_has_its_list_and_each_of_several_vectors_its_own(rank) -> None:
    lists = rank.lists(evaluation_set(), *ALL)
    of_ann = {name: rows[0].tolist() for name, rows in lists.items()}
    assert of_ann == {
        # STARS first, h_next before h_gen, then the tree.
        "fused": [0, 2, 4],
        "treebridge": [2, 3, 4],
        "treebridge_cf": [4, 3, 2],
        "stars": [0, 4, 1],
        "stars_h_next": [0, 1, 2],
        "stars_h_gen": [4, 3, 2],
        "dssm": [4, 3, 2],
    }


def test_a_user_without_a_history_gets_the_most_popular_items(rank) -> None:
    lists = rank.lists(evaluation_set(), *ALL)
    assert {tuple(rows[1, :2].tolist()) for rows in lists.values()} == {(3, 1)}
    assert all(rows.shape == (2, 3) for rows in lists.values())


def test_excluded_items_reach_the_lists_by_vector_and_the_search(rank) -> None:
    excluded = [np.array([0, 4]), np.array([3])]
    lists = rank.lists(evaluation_set(excluded=excluded), *ALL)
    assert not {0, 4} & set(np.concatenate([lists["stars"][0], lists["dssm"][0]]).tolist())
    # The search gets those of the users with a history only.
    (given,) = rank.searched
    assert [rows.tolist() for rows in given["filters"].excluded] == [[0, 4]]
    assert given["k"] == 3
    assert 3 not in lists["fused"][1]


def test_lists_of_one_variant_per_product_hold_the_best_of_each(rank) -> None:
    products = np.array([0, 0, 2, 2, 4])
    lists = rank.lists(evaluation_set(products=products), *ALL)
    of_ann = {name: rows[0].tolist() for name, rows in lists.items()}
    assert of_ann["stars_h_next"] == [0, 2, 4]
    assert of_ann["dssm"] == of_ann["stars_h_gen"] == [4, 3, 1]
    # STARS: 0, 4, 2; the tree: 2, 3, 4 (a search that is asked for products gives no variants).
    assert of_ann["fused"] == [0, 2, 4]
    assert lists["fused"][1].tolist() == [3, 1, 4]
    (given,) = rank.searched
    assert given["filters"].products is products


def test_a_release_from_before_a_model_was_added_has_no_list_of_it(rank) -> None:
    lists = rank.lists(evaluation_set(), "stars", "treebridge")
    assert "dssm" not in lists
    assert {"fused", "stars", "treebridge"} <= set(lists)


def test_oracle_lists_are_cut_to_the_items_of_the_day(tmp_path: Path) -> None:
    file = tmp_path / "oracle.parquet"
    ranked = [["gone", "e", "a", "b", "c"], ["a"]]
    pq.write_table(pa.table({"user_id": ["ann", "eve"], "item_ids": ranked}), file)
    found = oracle_lists(file, evaluation_set(), length=3)
    assert found.tolist() == [[4, 0, 1], [NO_ITEM] * 3]


def model_set(folder: Path, version: str = "v1", generation: str = "g1") -> ModelSet:
    folders = {name: folder / name for name in ("stars", "treebridge")}
    for name, one in folders.items():
        one.mkdir(parents=True)
        options = {"generations": {"llm": generation}} if name == "treebridge" else {}
        write_metadata(one, ModelMetadata(model_version=f"{name} {version}", options=options))
    return ModelSet(folders=folders, codes={})


def test_sets_are_equal_when_weights_and_trees_are(tmp_path: Path) -> None:
    first = model_set(tmp_path / "first")
    assert first.equals(model_set(tmp_path / "second"))
    assert not first.equals(model_set(tmp_path / "weights", version="v2"))
    assert not first.equals(model_set(tmp_path / "trees", generation="g2"))
    assert first.generations == {"llm": "g1"}
