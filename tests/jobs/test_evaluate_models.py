"""evaluate_models: a day unseen by any model, with comparator, baselines, oracle, repurchases."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from tests.jobs.shop_day import (
    ENCODER,
    ITEM_COUNT,
    SMALL,
    land_items,
    land_shop,
    plan_notes,
    report,
    write_small_settings,
)
from tests.jobs.tree_day import CAPACITY, GENERATIONS, land_codes

from grove.contracts import Verdict, arrow_schema, load_contract
from grove.datasets import HISTORIES, INTERACTIONS, METRICS
from grove.errors import DataError
from grove.features.items import text_matrix
from grove.release import Manifest
from grove.release.plan import WEIGHTS_FORMAT
from grove.runtime.files import read_json, write_json
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow, replace_partition
from grove.stages import evaluate_models as evaluation
from grove.stages import training_pass as learning
from grove.stages.model_inputs import day_item_table
from grove.stages.ranked_lists import ModelSet
from grove.systems.dssm.encode import encode_items
from grove.systems.treebridge.trees import TreeShape, build_tree, save_tree
from jobs import evaluate_models, train_dssm, train_stars, train_treebridge

EVALUATION = {"cutoffs": [2, 5], "gate_cutoff": 5, "holdout_share": 0.3}


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    monkeypatch.setattr(learning, "run_workers", lambda train, spec, *_: train(spec))
    monkeypatch.setattr(StageRun, "spark", lambda _: None)


def land_interactions(layout, day):
    """The events behind the day's histories, on the days on which they landed."""
    rows: dict = {}
    for history in read_arrow(layout, HISTORIES, day=day, cut="through").to_pylist():
        columns = (history[name] for name in ("item_ids", "event_types", "event_times"))
        events = zip(*columns, history["landed_days"], strict=True)
        for position, (item, kind, time, landed) in enumerate(events):
            rows.setdefault(landed, []).append(
                {
                    "day": landed,
                    "event_id": f"{history['user_id']}-{position}",
                    "event_type": kind,
                    "user_id": history["user_id"],
                    "item_id": item,
                    "event_time": time,
                }
            )
    for landed, events in rows.items():
        table = pa.Table.from_pylist(events, schema=arrow_schema(load_contract(INTERACTIONS)))
        replace_partition(table, layout, INTERACTIONS, {"day": landed})


def land_truth(layout, day, users):
    file = Path(layout.truth(day))
    file.parent.mkdir(parents=True)
    ranked = [[f"item{row:03d}" for row in range(ITEM_COUNT)]] * len(users)
    pq.write_table(pa.table({"user_id": users, "item_ids": ranked}), file)


@pytest.fixture
def shop(layout, day, settings_file, arguments):
    """A retrain day after training, ready to be evaluated."""
    write_small_settings(settings_file, treebridge=SMALL, evaluation=EVALUATION)
    land_day(layout, day, arguments)
    return layout


def land_day(layout, day, arguments, *, release=None, items=ITEM_COUNT, **codes):
    land_shop(layout, day, release=release)
    land_items(layout, day, 0, items)
    land_codes(layout, day, items, **codes)
    land_interactions(layout, day)
    land_truth(layout, day, [f"user{number:04d}" for number in range(30)])
    for job in (train_dssm, train_stars, train_treebridge):
        job.run(arguments(day=day, training_pass="candidate"))


def publish(layout, day, arguments, encoder=ENCODER, weights_format=WEIGHTS_FORMAT):
    """Publish the day's candidate models as a release with its own trees."""
    folder = Path(layout.releases(), f"{day}.1")
    (folder / "models").mkdir(parents=True)
    for model in ("dssm", "stars", "treebridge"):
        made = read_json(layout.report(day, f"train_{model}"))["artifact"]
        (folder / "models" / model).symlink_to(made)
    items = day_item_table(layout, day)
    vectors = {
        "cf": encode_items(folder / "models" / "dssm", items),
        "llm": text_matrix(items),
    }
    shape = TreeShape(level_sizes=(3, 3), leaf_capacity=CAPACITY, headroom=0.25)
    for tree in ("llm", "cf"):
        made = build_tree(
            vectors[tree], items["item_id"].to_pylist(), shape=shape, iterations=2, seed=1
        )
        save_tree(folder / "trees" / tree, made)
    (folder / "trees" / "cf" / "dssm").symlink_to(folder / "models" / "dssm")
    manifest = Manifest(
        release_id=folder.name,
        day=day,
        content="",
        code_version="",
        files={},
        plan={"shape": {"encoder": encoder, "weights format": weights_format}},
    )
    write_json(folder / "manifest.json", manifest.to_json())
    return folder.name


def figures(layout, day, **equals):
    rows = read_arrow(layout, METRICS, day=day, stage="evaluate_models", **equals).to_pylist()
    return {
        (row["model"], row["metric"], row["cutoff"], row["segment"]): (row["value"], row["support"])
        for row in rows
    }


def verdict(layout, day):
    path = Path(layout.verdict(day, "evaluate_models", "metrics"))
    return Verdict.from_json(path.read_text())


def reference_targets(layout, day):
    """User → positives of the day without the user's earlier ones, computed with loops."""
    events = read_arrow(layout, INTERACTIONS).to_pylist()
    before: dict = {}
    today: dict = {}
    for event in events:
        if event["day"] < day:
            before.setdefault(event["user_id"], set()).add(event["item_id"])
        elif event["day"] == day and event["event_time"].date() == day:
            today.setdefault(event["user_id"], set()).add(event["item_id"])
    targets = {user: items - before.get(user, set()) for user, items in today.items()}
    return {user: items for user, items in targets.items() if items}, before


def test_every_list_is_evaluated_and_the_first_day_has_no_comparator(shop, day, arguments):
    evaluate_models.run(arguments())
    measured = figures(shop, day)
    assert {model for model, *_ in measured} == {
        "fused", "treebridge", "treebridge_llm", "treebridge_cf", "stars", "stars_h_next",
        "stars_h_gen", "dssm", "popularity", "popularity_7_days", "oracle",
    }  # fmt: skip
    assert {cutoff for _, _, cutoff, _ in measured} == {2, 5}
    assert {segment for *_, segment in measured} == {"all", "new_items"}
    found = verdict(shop, day)
    assert found.passed
    assert "candidate_not_worse" in {result.name for result in found.warnings}
    written = read_json(shop.report(day, "evaluate_models"))
    targets, _ = reference_targets(shop, day)
    assert written["notes"]["users"] == len(targets) > 10
    assert written["notes"]["targets"] == sum(map(len, targets.values()))
    assert written["notes"]["comparator"] is None
    assert measured["oracle", "hit_rate", 5, "all"][1] == sum(user < "user0030" for user in targets)


def test_popularity_equals_a_reference_implementation(shop, day, arguments):
    evaluate_models.run(arguments())
    targets, before = reference_targets(shop, day)
    events = read_arrow(shop, INTERACTIONS).to_pylist()
    counts = {f"item{row:03d}": 0 for row in range(ITEM_COUNT)}
    for event in events:
        counts[event["item_id"]] += event["day"] < day
    order = sorted(counts, key=lambda item: (-counts[item], item))
    hit = [
        bool(set([item for item in order if item not in before.get(user, ())][:5]) & items)
        for user, items in targets.items()
    ]
    assert figures(shop, day)["popularity", "hit_rate", 5, "all"][0] == pytest.approx(np.mean(hit))


def test_a_user_without_a_history_gets_popular_items(shop, day, arguments):
    histories = read_arrow(shop, HISTORIES, day=day, cut="before")
    newcomer = histories["user_id"][0].as_py()
    others = histories.filter(pc.not_equal(histories["user_id"], newcomer))
    replace_partition(others, shop, HISTORIES, {"day": day, "cut": "before"})
    past = read_arrow(shop, INTERACTIONS, day=day - timedelta(days=1))
    others = past.filter(pc.not_equal(past["user_id"], newcomer))
    replace_partition(others, shop, INTERACTIONS, {"day": day - timedelta(days=1)})
    evaluate_models.run(arguments())
    written = read_json(shop.report(day, "evaluate_models"))["notes"]
    targets, _ = reference_targets(shop, day)
    assert newcomer in targets
    assert written["users"] == len(targets)
    assert written["users_without_history"] == 1


def test_a_second_run_gives_the_same_rows(shop, day, arguments):
    evaluate_models.run(arguments())
    first = figures(shop, day)
    evaluate_models.run(arguments())
    assert figures(shop, day) == first


def test_the_same_weights_are_compared_without_ranking_twice(shop, day, arguments):
    release, tomorrow = publish(shop, day, arguments), day + timedelta(days=1)
    land_day(shop, tomorrow, arguments, release=release)
    evaluate_models.run(arguments(day=tomorrow))
    written = read_json(shop.report(tomorrow, "evaluate_models"))["notes"]
    assert written["comparator"] == release
    assert written["comparator_is_candidate"] is True
    measured = figures(shop, tomorrow)
    assert measured["fused", "ndcg", 5, "all"] == measured["comparator_fused", "ndcg", 5, "all"]
    assert not verdict(shop, tomorrow).failures + verdict(shop, tomorrow).warnings


def test_another_release_ranks_the_new_items_too(shop, day, arguments, settings_file):
    release, tomorrow = publish(shop, day, arguments), day + timedelta(days=1)
    write_small_settings(
        settings_file, treebridge={**SMALL, "epochs": 1}, evaluation={**EVALUATION, "tolerance": 9}
    )
    others = GENERATIONS | {"llm": "cccccccccccc"}
    land_day(shop, tomorrow, arguments, items=ITEM_COUNT + 3, generations=others)
    notes = plan_notes(tomorrow, release, kind="retrain", rebuild_trees=True)
    report(shop, tomorrow, "plan_day", notes=notes)
    evaluate_models.run(arguments(day=tomorrow))
    written = read_json(shop.report(tomorrow, "evaluate_models"))["notes"]
    assert written["comparator_is_candidate"] is False
    measured = figures(shop, tomorrow)
    assert ("comparator_treebridge_cf", "hit_rate", 5, "all") in measured
    assert verdict(shop, tomorrow).passed


def test_a_candidate_trained_on_other_trees_is_not_evaluated(shop, day, arguments):
    land_codes(shop, day, generations=GENERATIONS | {"llm": "cccccccccccc"})
    with pytest.raises(DataError, match="was trained on another tree generation"):
        evaluate_models.run(arguments())


@pytest.mark.parametrize(
    ("other", "named"),
    [({"encoder": "other-0123456789"}, "other-0123456789"), ({"weights_format": "0"}, "format 0")],
)
def test_a_release_with_an_incompatible_shape_is_no_comparator(shop, day, arguments, other, named):
    release, tomorrow = publish(shop, day, arguments, **other), day + timedelta(days=1)
    land_day(shop, tomorrow, arguments, release=release)
    evaluate_models.run(arguments(day=tomorrow))
    written = read_json(shop.report(tomorrow, "evaluate_models"))["notes"]
    assert written["comparator"] is None
    assert named in written["not_compared"]
    assert "candidate_not_worse" in {result.name for result in verdict(shop, tomorrow).warnings}


def test_a_worse_candidate_is_rejected_and_the_old_metrics_stay(shop, day, arguments, monkeypatch):
    release, tomorrow = publish(shop, day, arguments), day + timedelta(days=1)
    land_day(shop, tomorrow, arguments, release=release)
    evaluate_models.run(arguments(day=tomorrow))
    before = figures(shop, tomorrow)
    monkeypatch.setattr(ModelSet, "equals", lambda *_: False)
    ranked, calls = evaluation.ranked_lists, iter(["candidate", "comparator"])

    def rank_nothing_for_the_candidate(*models, **options):
        lists = ranked(*models, **options)
        if next(calls) == "comparator":
            return lists
        return {name: np.full_like(found, -1) for name, found in lists.items()}

    monkeypatch.setattr(evaluation, "ranked_lists", rank_nothing_for_the_candidate)
    evaluate_models.run(arguments(day=tomorrow))
    assert read_json(shop.report(tomorrow, "evaluate_models"))["status"] == "refused"
    failed = {result.name for result in verdict(shop, tomorrow).failures}
    assert failed == {"candidate_not_worse"}
    assert figures(shop, tomorrow) == before


def test_repurchases_are_evaluated_as_a_separate_segment(layout, day, settings_file, arguments):
    source = {"keep_seen_items": True, "has_oracle": False}
    write_small_settings(settings_file, treebridge=SMALL, evaluation=EVALUATION, source=source)
    land_day(layout, day, arguments)
    evaluate_models.run(arguments())
    measured = figures(layout, day)
    assert "oracle" not in {model for model, *_ in measured}
    every, again = (measured["fused", "hit_rate", 5, name][1] for name in ("all", "repurchases"))
    assert 0 <= again <= every
    assert (
        read_json(layout.report(day, "evaluate_models"))["notes"]["not_judged"]["seen before"] == 0
    )


def test_without_a_catalogue_the_items_are_those_as_of_the_day_before(
    layout, day, settings_file, arguments
):
    source = {"feeds": ["events"], "has_oracle": False}
    write_small_settings(settings_file, treebridge=SMALL, evaluation=EVALUATION, source=source)
    land_day(layout, day, arguments)
    land_items(layout, day, 0, ITEM_COUNT)
    land_items(layout, day - timedelta(days=1), 0, ITEM_COUNT - 5)
    evaluate_models.run(arguments())
    written = read_json(layout.report(day, "evaluate_models"))["notes"]
    assert written["not_judged"]["item not known the day before"] > 0
    new = [value for key, value in figures(layout, day).items() if key[-1] == "new_items"]
    assert {support for _, support in new} == {0}


def test_at_most_max_users_are_evaluated(layout, day, settings_file, arguments):
    few = EVALUATION | {"max_users": 7}
    write_small_settings(settings_file, treebridge=SMALL, evaluation=few)
    land_day(layout, day, arguments)
    evaluate_models.run(arguments())
    written = read_json(layout.report(day, "evaluate_models"))
    assert written["rows"]["in"] == 7
    assert written["notes"]["not_judged"]["user not drawn"] > 0


def test_a_missing_training_is_named_in_the_error(shop, day, arguments):
    report(shop, day, "train_stars", status="refused")
    with pytest.raises(DataError, match="train_stars has no output"):
        evaluate_models.run(arguments())
