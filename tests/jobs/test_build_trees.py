from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from tests.jobs.shop_day import plan_notes

from grove.contracts import Verdict, arrow_schema, load_contract
from grove.datasets import CODES, ITEM_VECTORS, ITEMS, METRICS, TEXT_EMBEDDINGS
from grove.errors import DataError
from grove.runtime.files import read_json, write_json
from grove.runtime.tables import read_arrow, replace_partition
from grove.systems.treebridge.trees import load_tree
from grove.texts.prompt import item_texts, text_hash
from jobs import build_trees

ENCODER = "tiny-0123456789"
KINDS = (["Home", "Lamps"], ["Home", "Mugs"], ["Garden"])


def rows_of(dataset, rows):
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(dataset)))


def vector_of(item_id, width):
    seed = [*item_id.encode(), width]
    vector = np.random.default_rng(seed).normal(size=width).astype(np.float32)
    return vector / np.linalg.norm(vector)


def land_items(layout, day, first, last):
    """Land items and their text vectors; a category is a group that a tree should keep together."""
    rows = [
        {
            "day": day,
            "item_id": f"item-{number:03d}",
            "title": f"Thing {number}",
            "category_path": KINDS[number % len(KINDS)],
            "tags": [],
            "regions": ["north"],
            "first_seen": day,
        }
        for number in range(first, last)
    ]
    items = rows_of(ITEMS, rows)
    replace_partition(items, layout, ITEMS, {"day": day})
    texts = read_arrow(layout, TEXT_EMBEDDINGS).to_pylist()
    texts += [
        {"encoder": ENCODER, "text_hash": text_hash(text), "vector": vector_of(text, 12).tolist()}
        for text in item_texts(items)
    ]
    table = rows_of(TEXT_EMBEDDINGS, texts)
    replace_partition(table, layout, TEXT_EMBEDDINGS, {"encoder": ENCODER})


def land_dssm_vectors(layout, day, count):
    rows = [
        {
            "day": day,
            "model": "dssm",
            "training_pass": "candidate",
            "model_version": "0123456789ab",
            "item_id": f"item-{number:03d}",
            "vector": vector_of(f"item-{number:03d}", 8).tolist(),
        }
        for number in range(count)
    ]
    partition = {"day": day, "model": "dssm", "training_pass": "candidate"}
    replace_partition(rows_of(ITEM_VECTORS, rows), layout, ITEM_VECTORS, partition)


def report(layout, day, stage, **content):
    written = {"status": "committed", "notes": {}, "versions": {}, "artifact": None, **content}
    write_json(layout.report(day, stage), written)


def plan(layout, day, *, rebuild, release=None):
    kind = "retrain" if rebuild else "ordinary"
    notes = plan_notes(day, release, kind=kind, rebuild_trees=rebuild)
    report(layout, day, "plan_day", notes=notes)
    report(layout, day, "embed_texts", versions={"encoder": ENCODER})


def release_trees(layout, day):
    """Publish a day's trees as release `<day>.1`."""
    made = Path(read_json(layout.report(day, "build_trees"))["artifact"])
    release = f"{day}.1"
    target = Path(layout.releases(), release, "trees")
    target.parent.mkdir(parents=True)
    target.symlink_to(made)
    return release


@pytest.fixture(autouse=True)
def frozen_dssm(monkeypatch):
    """Encode items by name, as the vectors of `land_dssm_vectors` are."""

    def encode(folder, items):
        assert (Path(folder) / "model.json").read_text() == "{}"
        return np.stack([vector_of(item_id, 8) for item_id in items["item_id"].to_pylist()])

    monkeypatch.setattr("grove.stages.build_trees.encode_items", encode)


@pytest.fixture
def rebuild_day(layout, day, tmp_path):
    """A first day with 60 items whose trees are to be built."""
    folder = tmp_path / "dssm"
    folder.mkdir()
    (folder / "model.json").write_text("{}")
    land_items(layout, day - timedelta(days=1), 0, 60)
    land_dssm_vectors(layout, day, 60)
    plan(layout, day, rebuild=True)
    report(layout, day, "train_dssm", artifact=str(folder), notes={"model_version": "0" * 12})
    return day


def codes(layout, day):
    rows = read_arrow(layout, CODES, day=day).to_pylist()
    return {(row["tree"], row["item_id"]): (*row["path"], row["slot"]) for row in rows}


def test_a_rebuild_ignores_the_days_own_items_which_are_appended(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    without = codes(layout, rebuild_day)
    land_items(layout, rebuild_day, 60, 63)
    land_dssm_vectors(layout, rebuild_day, 63)
    build_trees.run(arguments())
    found = codes(layout, rebuild_day)
    assert len(found) == len(without) + 2 * 3
    assert {key: found[key] for key in without} == without
    notes = read_json(layout.report(rebuild_day, "build_trees"))["notes"]
    assert {(notes[tree]["rebuilt"], notes[tree]["appended"]) for tree in ("llm", "cf")} == {
        (True, 3)
    }


def test_a_rebuild_gives_every_item_a_code_in_both_trees(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    assert len(codes(layout, rebuild_day)) == 120
    written = read_json(layout.report(rebuild_day, "build_trees"))
    made = Path(written["artifact"])
    assert {path.name for path in made.iterdir()} == {"llm", "cf"}
    assert (made / "cf" / "dssm" / "model.json").read_text() == "{}"
    for name in ("llm", "cf"):
        tree = load_tree(made / name)
        assert written["notes"][name]["generation"] == tree.generation
        assert written["notes"][name]["built_on"] == tree.built_on == str(rebuild_day)
        assert written["notes"][name]["rebuilt"] is True
        assert written["notes"][name]["churn"] == 0
        assert np.bincount(tree.leaves).max() <= 12
    measured = read_arrow(layout, METRICS, day=rebuild_day, stage="build_trees")
    assert measured.num_rows == 10
    verdict = Verdict.from_json(
        Path(layout.verdict(rebuild_day, "build_trees", "codes")).read_text()
    )
    names = {result.name for result in verdict.results}
    assert {"llm_one_path_per_item", "cf_leaf_capacity", "cf_codes_kept"} <= names
    assert not verdict.failures + verdict.warnings


def test_a_shop_whose_items_are_all_equal_gets_balanced_trees(
    layout, rebuild_day, arguments, monkeypatch
):
    vector_of_one = vector_of
    monkeypatch.setattr(
        "tests.jobs.test_build_trees.vector_of", lambda _, width: vector_of_one("one", width)
    )
    land_items(layout, rebuild_day - timedelta(days=1), 0, 60)
    land_dssm_vectors(layout, rebuild_day, 60)
    build_trees.run(arguments())
    found = codes(layout, rebuild_day)
    assert len(found) == len({(tree, place) for (tree, _), place in found.items()}) == 120
    verdict = Verdict.from_json(
        Path(layout.verdict(rebuild_day, "build_trees", "codes")).read_text()
    )
    assert not verdict.failures
    build_trees.run(arguments())
    assert codes(layout, rebuild_day) == found


def test_a_second_run_gives_the_same_rows_and_a_new_artifact(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    first = read_arrow(layout, CODES, day=rebuild_day).sort_by("item_id").to_pylist()
    build_trees.run(arguments())
    second = read_arrow(layout, CODES, day=rebuild_day).sort_by("item_id").to_pylist()
    key = lambda row: (row["tree"], row["item_id"])  # noqa: E731
    assert sorted(first, key=key) == sorted(second, key=key)
    attempts = Path(layout.attempts(rebuild_day, "build_trees"))
    assert sorted(path.name for path in attempts.iterdir()) == ["1", "2"]


def test_new_items_are_appended_and_no_code_moves(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    tomorrow = rebuild_day + timedelta(days=1)
    land_items(layout, tomorrow, 60, 68)
    plan(layout, tomorrow, rebuild=False, release=release_trees(layout, rebuild_day))
    build_trees.run(arguments(day=tomorrow))
    before, after = codes(layout, rebuild_day), codes(layout, tomorrow)
    assert len(after) == 136
    assert before.items() <= after.items()
    notes = read_json(layout.report(tomorrow, "build_trees"))["notes"]
    for name in ("llm", "cf"):
        assert (notes[name]["appended"], notes[name]["churn"]) == (8, 0)
        assert (notes[name]["rebuilt"], notes[name]["built_on"]) == (False, str(rebuild_day))
        assert notes[name]["distortion"] != notes[name]["distortion_at_build"]


def test_a_rebuild_after_a_release_reports_its_churn(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    tomorrow, later = (rebuild_day + timedelta(days=days) for days in (1, 2))
    land_items(layout, tomorrow, 60, 75)
    land_dssm_vectors(layout, later, 75)
    plan(layout, later, rebuild=True, release=release_trees(layout, rebuild_day))
    artifact = read_json(layout.report(rebuild_day, "train_dssm"))["artifact"]
    report(layout, later, "train_dssm", artifact=artifact, notes={"model_version": "0" * 12})
    build_trees.run(arguments(day=later))
    written = read_json(layout.report(later, "build_trees"))
    assert written["status"] == "committed"
    assert 0 < written["notes"]["llm"]["churn"] <= 1


def test_a_full_tree_rejects_the_day_and_leaves_the_old_codes(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    release = release_trees(layout, rebuild_day)
    tomorrow = rebuild_day + timedelta(days=1)
    land_items(layout, tomorrow, 60, 64)
    plan(layout, tomorrow, rebuild=False, release=release)
    build_trees.run(arguments(day=tomorrow))
    before, measured = codes(layout, tomorrow), read_arrow(layout, METRICS, day=tomorrow)
    land_items(layout, tomorrow, 60, 300)
    build_trees.run(arguments(day=tomorrow))
    assert codes(layout, tomorrow) == before
    assert measured.num_rows
    assert read_arrow(layout, METRICS, day=tomorrow).equals(measured)
    assert read_json(layout.report(tomorrow, "build_trees"))["status"] == "refused"
    path = Path(layout.verdict(tomorrow, "build_trees", "codes"))
    failed = {one.name: one for one in Verdict.from_json(path.read_text()).failures}
    assert {"llm_slots_suffice", "cf_slots_suffice"} <= set(failed)
    assert f"make trigger DAY={tomorrow} RETRAIN=1" in failed["llm_slots_suffice"].observed
    assert [path.name for path in path.parent.iterdir()] == ["codes.json"]


def test_items_without_a_dssm_vector_leave_the_old_codes(layout, rebuild_day, arguments):
    build_trees.run(arguments())
    before = codes(layout, rebuild_day)
    land_dssm_vectors(layout, rebuild_day, 59)
    with pytest.raises(DataError, match="without a vector"):
        build_trees.run(arguments())
    assert codes(layout, rebuild_day) == before
    assert read_json(layout.report(rebuild_day, "build_trees"))["status"] == "failed"


def test_the_job_needs_a_plan(layout, arguments):
    with pytest.raises(DataError, match="plan_day"):
        build_trees.run(arguments(day=date(2026, 8, 21)))
