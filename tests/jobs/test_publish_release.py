"""One release per run: equal content for equal input, complete or absent, and rollback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from tests.jobs.shop_day import plan_notes

from grove.contracts import arrow_schema, load_contract
from grove.contracts.verdict import Verdict
from grove.datasets import (
    CODES,
    HISTORIES,
    ITEMS,
    METRICS,
    TEXT_EMBEDDINGS,
    TREES,
    USER_CANDIDATES,
    USER_EMBEDDINGS,
    stage_name,
)
from grove.errors import DATA_EXIT_CODE, DataError
from grove.index import item_keys
from grove.release import current_release, list_releases, verify_release
from grove.runtime.files import read_json, write_json
from grove.runtime.job import run_job
from grove.runtime.reports import find_report
from grove.runtime.stage_run import open_stage
from grove.runtime.tables import replace_partition
from grove.settings import Settings
from grove.texts.prompt import item_text, text_hash
from jobs import publish_release, rollback_release

DAY = date(2026, 8, 20)
ENCODER = "0123456789abcdef"
GENERATION = "a" * 12
TREE = {"generation": GENERATION, "levels": [2, 2], "capacity": 4, "items": 3}
ITEM_IDS = ("i1", "i2", "i3")
USER_IDS = ("u1", "u2")
REPOSITORY = Path(__file__).resolve().parents[2]

KILLED_AFTER_THE_INDEX = """
import os, signal, sys
from grove import release
collect = release.collect_parts
def collect_and_die(folder, parts):
    collect(folder, parts)
    assert (folder / "index" / "keys.parquet").exists()
    os.kill(os.getpid(), signal.SIGKILL)
release.collect_parts = collect_and_die
from jobs import publish_release
publish_release.run(publish_release.parse_arguments(sys.argv[1:]))
"""


def write(layout, dataset, rows, **partition):
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(dataset)))
    replace_partition(table, layout, dataset, partition)


def write_items(layout, day):
    rows = [
        {
            "day": day,
            "item_id": item,
            "title": f"Mug {item}",
            "category_path": ["Home", "Kitchen"],
            "tags": ["red"],
            "price": 4.5,
            "stock": 3,
            "regions": ["north"],
            "first_seen": day,
        }
        for item in ITEM_IDS
    ]
    write(layout, ITEMS, rows, day=day)
    texts = [item_text(row["title"], None, None, row["category_path"], ["red"]) for row in rows]
    vectors = [
        {"encoder": ENCODER, "text_hash": text_hash(text), "vector": [1.0, 0.0]} for text in texts
    ]
    write(layout, TEXT_EMBEDDINGS, vectors, encoder=ENCODER)


def write_users(layout, day):
    base = {"day": day, "model_version": "0" * 12, "h_gen": [1.0, 0.0], "h_next": [0.0, 1.0]}
    write(layout, USER_EMBEDDINGS, [{**base, "user_id": user} for user in USER_IDS], day=day)
    listed = {"day": day, "model_version": "0" * 12, "item_ids": ["i2", "i1"], "scores": [0.5, 0.1]}
    write(layout, USER_CANDIDATES, [{**listed, "user_id": user} for user in USER_IDS], day=day)
    event = {
        "day": day,
        "cut": "through",
        "item_ids": ["i1"],
        "event_types": ["click"],
        "event_times": [datetime(2026, 8, 19, 8, tzinfo=UTC)],
        "landed_days": [day],
        **{name: [""] for name in ("queries", "regions", "devices", "weathers", "promotions")},
    }
    rows = [{**event, "user_id": user} for user in USER_IDS]
    write(layout, HISTORIES, rows, day=day, cut="through")


def write_codes_and_metrics(layout, day):
    for tree in TREES:
        rows = [
            {
                "day": day,
                "tree": tree,
                "item_id": item,
                "path": [0, number],
                "slot": number,
                "generation": "a" * 12,
            }
            for number, item in enumerate(ITEM_IDS)
        ]
        write(layout, CODES, rows, day=day, tree=tree)
    metric = {
        "day": day,
        "stage": "evaluate_models",
        "model": "fused",
        "metric": "HR",
        "cutoff": 50,
        "segment": "all",
        "value": 0.25,
        "support": 4,
    }
    write(layout, METRICS, [metric], day=day, stage="evaluate_models")


def report_stages(arguments):
    def keys():
        return pa.table({"item_id": ITEM_IDS, "item_key": item_keys(np.array(ITEM_IDS))})

    for model in ("dssm", "treebridge", "stars"):
        with open_stage(f"train_{model}", arguments) as run:
            run.report.note("model_version", f"evaluated {model}")
            run.report.artifact = str(run.layout.attempts(run.day, run.name))
        name = stage_name(f"train_{model}", "update")
        with open_stage(f"train_{model}", arguments, stage=name) as run:
            content = {"model": model, "options": {"generations": dict.fromkeys(TREES, GENERATION)}}
            (run.new_attempt() / "model.json").write_text(json.dumps(content))
            run.report.note("model_version", f"{model:0<12}")
            run.seal_attempt()
    with open_stage("build_trees", arguments) as run:
        folder = run.new_attempt()
        for tree in TREES:
            (folder / tree).mkdir()
            content = {"tree": tree, "generation": GENERATION}
            (folder / tree / "tree.json").write_text(json.dumps(content))
            run.report.note(tree, TREE)
        run.seal_attempt()
    with open_stage("build_index", arguments) as run:
        pq.write_table(keys(), run.new_attempt() / "keys.parquet")
        run.seal_attempt()
    with open_stage("plan_day", arguments) as run:
        run.report.note_all(plan_notes(run.day))
    with open_stage("embed_texts", arguments) as run:
        run.report.version("encoder", ENCODER)
    for name in ("evaluate_models", "infer_users", "retrieve_candidates"):
        with open_stage(name, arguments):
            pass


@pytest.fixture
def finished_day(arguments, layout):
    """Writes everything the stages before `publish_release` leave behind, for any day."""

    def finish(day=DAY):
        write_items(layout, day)
        write_users(layout, day)
        write_codes_and_metrics(layout, day)
        report_stages(arguments(day=day))
        return arguments(day=day, make_current=False)

    return finish


def served(layout):
    return current_release(layout.current_pointer())


def manifest(layout, release_id):
    return verify_release(Path(layout.releases(), release_id))


def test_a_release_holds_everything_a_server_needs_and_no_secret(
    finished_day, layout, settings_file
):
    settings = yaml.safe_load(settings_file.read_text())
    settings["notices"] = {"webhook": "https://hook/secret"}
    settings_file.write_text(yaml.safe_dump(settings))
    publish_release.run(finished_day())
    assert served(layout) == f"{DAY}.1"
    written = manifest(layout, f"{DAY}.1")
    assert set(written.files) == {
        *(f"models/{model}/model.json" for model in ("dssm", "treebridge", "stars")),
        *(f"trees/{tree}/tree.json" for tree in TREES),
        *(f"codes_{tree}.parquet" for tree in TREES),
        "index/keys.parquet",
        "items.parquet",
        "user_embeddings.parquet",
        "user_candidates.parquet",
        "histories.parquet",
        "seen.parquet",
        "popularity.parquet",
        "metrics.json",
    }
    assert written.weights["stars"] == {
        "model_version": "stars0000000",
        "learned_through": str(DAY),
    }
    assert written.judged == {
        model: f"evaluated {model}" for model in ("dssm", "treebridge", "stars")
    }
    assert written.metrics["evaluate_models"][0]["value"] == 0.25
    assert written.trees["cf"] == TREE
    assert written.plan == plan_notes(DAY)
    assert set(Settings.model_fields) - set(written.settings) == {"notices"}
    assert "secret" not in Path(layout.releases(), f"{DAY}.1", "manifest.json").read_text()
    items = pq.read_table(Path(layout.releases(), f"{DAY}.1", "items.parquet"))
    assert items["item_key"].to_pylist() == item_keys(np.array(ITEM_IDS)).tolist()
    assert {"title", "stock", "text_vector", "price_bucket"} <= set(items.column_names)
    report = find_report(layout, DAY, "publish_release")
    assert (report.status, report.notes["release"]) == ("committed", f"{DAY}.1")


def test_codes_that_the_generator_was_not_trained_on_are_not_published(finished_day, layout):
    arguments = finished_day()
    trees = Path(find_report(layout, DAY, "build_trees").artifact)
    (trees / "cf" / "tree.json").write_text(json.dumps({"generation": "b" * 12}))
    publish_release.run(arguments)
    report = find_report(layout, DAY, "publish_release")
    assert report.status == "refused"
    assert served(layout) is None


def test_lists_that_were_rejected_are_not_published(finished_day, layout):
    arguments = finished_day()
    report = read_json(layout.report(DAY, "retrieve_candidates"))
    write_json(layout.report(DAY, "retrieve_candidates"), {**report, "status": "refused"})
    with pytest.raises(DataError, match="retrieve_candidates has no output"):
        publish_release.run(arguments)
    assert served(layout) is None


def test_a_second_run_publishes_a_second_release_with_equal_content(finished_day, layout):
    arguments = finished_day()
    publish_release.run(arguments)
    arguments.run_id = "another"
    publish_release.run(arguments)
    assert list_releases(layout.releases()) == [f"{DAY}.1", f"{DAY}.2"]
    first, second = (manifest(layout, f"{DAY}.{attempt}") for attempt in (1, 2))
    assert first.content == second.content
    assert first.run_id != second.run_id
    assert served(layout) == f"{DAY}.2"


def test_being_killed_after_the_index_leaves_the_old_release_serving(
    finished_day, layout, settings_file
):
    publish_release.run(finished_day())
    later = finished_day(DAY + timedelta(days=1))
    killed = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED_AFTER_THE_INDEX,
            *("--day", str(later.day), "--settings", str(settings_file)),
        ],
        env={**os.environ, "PYTHONPATH": f"{REPOSITORY / 'libs'}:{REPOSITORY}"},
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert Path(layout.releases(), f"{later.day}.1.tmp", "index").is_dir()
    assert list_releases(layout.releases()) == [f"{DAY}.1"]
    assert served(layout) == f"{DAY}.1"
    manifest(layout, f"{DAY}.1")
    publish_release.run(later)
    assert served(layout) == f"{later.day}.1"
    manifest(layout, f"{later.day}.1")


def test_a_release_whose_parts_disagree_is_rejected(finished_day, layout):
    arguments = finished_day()
    publish_release.run(arguments)
    write(
        layout,
        USER_EMBEDDINGS,
        [
            {
                "day": DAY,
                "user_id": "u1",
                "h_gen": [1.0],
                "h_next": [1.0],
                "model_version": "0" * 12,
            }
        ],
        day=DAY,
    )
    publish_release.run(arguments)
    assert served(layout) == f"{DAY}.1"
    assert list_releases(layout.releases()) == [f"{DAY}.1"]
    assert find_report(layout, DAY, "publish_release").status == "refused"
    text = Path(layout.verdict(DAY, "publish_release", "release")).read_text()
    assert [one.name for one in Verdict.from_json(text).failures] == ["every_user_has_a_vector"]


def test_a_stage_that_did_not_commit_stops_the_release(finished_day, arguments, layout):
    ready = finished_day()
    with open_stage("build_index", arguments()) as run:
        run.refuse()
    with pytest.raises(DataError, match="build_index has no output"):
        publish_release.run(ready)
    assert served(layout) is None
    assert find_report(layout, DAY, "publish_release").status == "failed"


def test_a_rerun_of_an_earlier_day_is_served_only_on_request(finished_day, layout):
    first = finished_day()
    publish_release.run(first)
    later = DAY + timedelta(days=1)
    publish_release.run(finished_day(later))
    publish_release.run(first)
    assert served(layout) == f"{later}.1"
    first.make_current = True
    publish_release.run(first)
    assert served(layout) == f"{DAY}.3"


def test_rolling_back_serves_an_earlier_release_that_is_whole(finished_day, layout, settings_file):
    for day in (DAY, DAY + timedelta(days=1)):
        publish_release.run(finished_day(day))

    def roll_back(release_id):
        argv = ["--to", release_id, "--settings", str(settings_file)]
        return run_job(rollback_release.run, rollback_release.parse_arguments(argv))

    assert roll_back(f"{DAY}.1") == 0
    assert served(layout) == f"{DAY}.1"
    newer = Path(layout.releases(), f"{DAY + timedelta(days=1)}.1")
    (newer / "items.parquet").write_bytes(b"")
    assert roll_back(newer.name) == DATA_EXIT_CODE
    assert roll_back("2026-01-01.1") == DATA_EXIT_CODE
    assert served(layout) == f"{DAY}.1"


def test_the_command_line(settings_file):
    argv = ["--day", str(DAY), "--settings", str(settings_file), "--make-current"]
    assert publish_release.parse_arguments(argv).make_current
    assert not publish_release.parse_arguments([*argv[:-1], ""]).make_current
