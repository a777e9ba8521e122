"""retrieve_candidates: one list per user, equal on a rerun; old lists stay after a rejection."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml
from pyspark.sql.functions import concat
from tests.jobs.shop_day import (
    ITEM_COUNT,
    land_histories,
    land_interactions,
    land_items,
    land_shop,
    report,
    report_weights,
    write_small_settings,
)
from tests.jobs.tree_day import GENERATIONS, codes_of, land_codes
from tests.unit.serving.small_release import write_generator

from grove.contracts import Verdict
from grove.datasets import HISTORIES, TREES, USER_CANDIDATES
from grove.errors import DataError
from grove.features.model_metadata import read_metadata
from grove.runtime.files import read_json
from grove.runtime.tables import read_arrow
from grove.settings.models import TreeBridgeSettings
from grove.stages import retrieve_candidates as candidates_module
from grove.stages.model_inputs import day_item_table
from grove.stages.retrieve_candidates import products_known
from grove.systems.treebridge.search import load_searcher
from jobs import retrieve_candidates

pytestmark = [pytest.mark.spark, pytest.mark.slow]

PLACES, BEAM = 6, 9
SEEN = {"user0003": {"item004", "item005", "item011"}}
"""A user's positives; the others have none."""


@pytest.fixture
def shop(layout, day, settings_file, arguments, tmp_path, spark):
    write_small_settings(settings_file, treebridge={"candidates": PLACES, "beam": BEAM})
    land_shop(layout, day)
    land_codes(layout, day)
    land_interactions(layout, day, SEEN)
    item_table = day_item_table(layout, day)
    write_generator(tmp_path / "treebridge", item_table, options={"generations": GENERATIONS})
    report_weights(layout, day, "train_treebridge.update", tmp_path / "treebridge")
    return layout


def candidates(layout, day):
    rows = read_arrow(layout, USER_CANDIDATES, day=day).to_pylist()
    return {row["user_id"]: row for row in rows}


def test_every_user_has_the_list_one_process_would_find(shop, day, arguments, tmp_path):
    retrieve_candidates.run(arguments())
    found = candidates(shop, day)
    table = day_item_table(shop, day)
    codes = {tree: codes_of(tree) for tree in TREES}
    asked = {"beam": BEAM, "fusion": "sum", "new_item_bonus": TreeBridgeSettings().new_item_bonus}
    searcher = load_searcher(tmp_path / "treebridge", table, codes, **asked)
    histories = read_arrow(shop, HISTORIES, day=day, cut="through").sort_by("user_id")
    rows, scores = searcher.recommend(histories, k=PLACES)
    unboosted, _ = replace(searcher, new_item_bonus=0.0).recommend(histories, k=PLACES)
    assert not np.array_equal(rows, unboosted)
    ids = table["item_id"].to_pylist()
    assert sorted(found) == histories["user_id"].to_pylist()
    for user, listed, scored in zip(sorted(found), rows, scores, strict=True):
        if user not in SEEN:
            assert found[user]["item_ids"] == [ids[row] for row in listed]
            assert found[user]["scores"] == pytest.approx(scored.tolist(), rel=1e-4)
    version = read_metadata(tmp_path / "treebridge").model_version
    assert {row["model_version"] for row in found.values()} == {version}
    written = read_json(shop.report(day, "retrieve_candidates"))
    assert written["rows"] == {"in": 60, "out": 60, "rejected": 0}
    retrieve_candidates.run(arguments())
    assert candidates(shop, day) == found


def test_items_a_user_has_interacted_with_are_left_out(shop, day, arguments):
    retrieve_candidates.run(arguments())
    (user, seen), listed = next(iter(SEEN.items())), candidates(shop, day)
    assert len(listed[user]["item_ids"]) == PLACES
    assert not seen & set(listed[user]["item_ids"])
    assert any(seen & set(row["item_ids"]) for row in listed.values())


def test_only_positives_up_to_the_day_are_left_out(shop, day, arguments):
    retrieve_candidates.run(arguments())
    before, everything = candidates(shop, day), {f"item{row:03d}" for row in range(ITEM_COUNT)}
    land_interactions(shop, day + timedelta(days=1), {"user0007": everything})
    land_interactions(shop, day - timedelta(days=1), {"user0007": everything}, "impression")
    retrieve_candidates.run(arguments())
    assert candidates(shop, day) == before


def test_where_users_buy_again_their_lists_may_hold_seen_items(shop, day, arguments, settings_file):
    settings = yaml.safe_load(settings_file.read_text())
    settings["source"] = {**settings.get("source", {}), "keep_seen_items": True}
    settings["treebridge"]["candidates"] = ITEM_COUNT
    settings_file.write_text(yaml.safe_dump(settings))
    retrieve_candidates.run(arguments())
    assert {len(row["item_ids"]) for row in candidates(shop, day).values()} == {ITEM_COUNT}


def test_lists_hold_one_variant_per_product_where_the_settings_ask_for_it(
    shop, day, arguments, settings_file
):
    land_items(shop, day - timedelta(days=1), variants=3)
    retrieve_candidates.run(arguments())
    assert any(len(products(row)) < PLACES for row in candidates(shop, day).values())
    settings = yaml.safe_load(settings_file.read_text())
    settings["source"] = {**settings.get("source", {}), "one_variant_per_product": True}
    settings_file.write_text(yaml.safe_dump(settings))
    retrieve_candidates.run(arguments())
    for row in candidates(shop, day).values():
        assert len(products(row)) == len(row["item_ids"]) == PLACES
    assert products_known(shop, day).passed
    land_items(shop, day - timedelta(days=1))
    nothing = products_known(shop, day)
    assert (nothing.severity, nothing.passed) == ("warn", False)
    assert nothing.observed == f"0 of {ITEM_COUNT} items with one"


def products(row) -> set[int]:
    """Products of a list, of three neighbouring items each."""
    return {int(item.removeprefix("item")) // 3 for item in row["item_ids"]}


def test_a_list_is_as_long_as_the_items_left_for_its_user(shop, day, arguments):
    user = next(iter(SEEN))
    land_interactions(shop, day, {user: {f"item{row:03d}" for row in range(3, ITEM_COUNT)}})
    retrieve_candidates.run(arguments())
    assert sorted(candidates(shop, day)[user]["item_ids"]) == ["item000", "item001", "item002"]
    assert not verdict(shop, day).failures


def test_a_generator_of_other_trees_is_rejected(shop, day, arguments):
    land_codes(shop, day, generations={**GENERATIONS, "cf": "cccccccccccc"})
    with pytest.raises(DataError, match="was trained on another tree generation"):
        retrieve_candidates.run(arguments())
    assert candidates(shop, day) == {}


def test_an_item_twice_in_a_list_rejects_the_day(shop, day, arguments, monkeypatch):
    search = candidates_module.search_users

    def repeat(*inputs, **options):
        found = search(*inputs, **options)
        twice = {name: concat(name, name).alias(name) for name in ("item_ids", "scores")}
        return found.select(*(twice.get(name, name) for name in found.columns))

    monkeypatch.setattr(candidates_module, "search_users", repeat)
    retrieve_candidates.run(arguments())
    assert {result.name for result in verdict(shop, day).failures} == {"items_distinct"}


def test_a_lost_user_rejects_the_day_and_leaves_the_old_rows(shop, day, arguments, monkeypatch):
    retrieve_candidates.run(arguments())
    before = candidates(shop, day)
    land_histories(shop, day, users=61)
    search = candidates_module.search_users
    monkeypatch.setattr(
        candidates_module,
        "search_users",
        lambda histories, *inputs, **options: search(histories.limit(50), *inputs, **options),
    )
    retrieve_candidates.run(arguments())
    assert candidates(shop, day) == before
    assert {result.name for result in verdict(shop, day).failures} == {"every_user_searched"}


def test_without_the_update_the_error_names_the_job_to_run(shop, day, arguments):
    report(shop, day, "train_treebridge.update", status="refused")
    with pytest.raises(DataError, match=r"train_treebridge\.update has no output"):
        retrieve_candidates.run(arguments())


def verdict(layout, day) -> Verdict:
    file = layout.verdict(day, "retrieve_candidates", "user_candidates")
    return Verdict.from_json(Path(file).read_text())
