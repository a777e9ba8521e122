"""Inconsistent parts of a release are detected before its publication."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grove.release import (
    Origin,
    Parts,
    collect_parts,
    describe_release,
    inspect_release,
    start_release,
    write_release,
)
from grove.runtime.files import write_json

ORIGIN = Origin(
    run_id="r", code_version="c", table_versions={}, settings={}, plan={}, trees={}, weights={}
)


def tables():
    codes = pa.table({"item_id": ["a", "b"], "path": [[0], [1]]})
    return {
        "items.parquet": pa.table({"item_id": ["a", "b"], "item_key": [10, 20]}),
        "codes_llm.parquet": codes,
        "codes_cf.parquet": codes,
        "user_embeddings.parquet": pa.table({"user_id": ["u", "v"]}),
        "user_candidates.parquet": pa.table(
            {"user_id": ["u", "v"], "item_ids": [["a"], ["b", "a"]]}
        ),
        "histories.parquet": pa.table({"user_id": ["v", "u"]}),
    }


def findings(tmp_path, **changed):
    index = tmp_path / "index"
    index.mkdir()
    held = {"llm": "aa", "cf": "bb"}
    trained_on = changed.pop("trained_on", held)
    parts = {"index": index, "models/treebridge": tmp_path / "treebridge"}
    write_json(
        str(parts["models/treebridge"] / "model.json"), {"options": {"generations": trained_on}}
    )
    for tree, generation in held.items():
        parts[f"trees/{tree}"] = tmp_path / tree
        write_json(str(tmp_path / tree / "tree.json"), {"generation": generation})
    rows = changed.pop("keys", pa.table({"item_id": ["b", "a"], "item_key": [20, 10]}))
    pq.write_table(rows, index / "keys.parquet")
    folder = start_release(tmp_path / "releases", "2026-08-20.1")
    named = {f"{name}.parquet": table for name, table in changed.items()}
    collect_parts(folder, Parts(parts, {**tables(), **named}))
    manifest = describe_release(folder, "2026-08-20.1", origin=ORIGIN, metrics={})
    write_release(folder, manifest)
    return {finding.name: finding for finding in inspect_release(folder)}


def failed(found):
    return {name for name, finding in found.items() if not finding.passed}


def test_a_consistent_release_passes_every_check(tmp_path):
    found = findings(tmp_path)
    assert failed(found) == set()
    assert set(found) == {
        "checksums",
        "one_row_per_item",
        "every_recommended_item_has_a_row",
        "index_keys_are_item_keys",
        "every_user_has_a_vector",
        "every_user_has_a_list",
        "generator_speaks_the_codes",
    }


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"items": pa.table({"item_id": ["a", "a", "b"], "item_key": [10, 10, 20]})},
            {"one_row_per_item"},
        ),
        (
            {"codes_cf": pa.table({"item_id": ["a", "zz"]})},
            {"every_recommended_item_has_a_row"},
        ),
        (
            {"keys": pa.table({"item_id": ["a", "b"], "item_key": [10, 21]})},
            {"index_keys_are_item_keys"},
        ),
        (
            {"keys": pa.table({"item_id": ["a", "zz"], "item_key": [10, 20]})},
            {"every_recommended_item_has_a_row", "index_keys_are_item_keys"},
        ),
        ({"user_embeddings": pa.table({"user_id": ["u"]})}, {"every_user_has_a_vector"}),
        (
            {"user_candidates": pa.table({"user_id": ["u"], "item_ids": [["a"]]})},
            {"every_user_has_a_list"},
        ),
        (
            {"user_candidates": pa.table({"user_id": ["u", "v"], "item_ids": [["a"], ["zz"]]})},
            {"every_recommended_item_has_a_row"},
        ),
        ({"trained_on": {"llm": "aa", "cf": "older"}}, {"generator_speaks_the_codes"}),
    ],
)
def test_each_inconsistency_fails_its_check(tmp_path, changed, expected):
    assert failed(findings(tmp_path, **changed)) == expected


def test_a_changed_file_fails_the_checksums(tmp_path):
    findings(tmp_path)
    folder = tmp_path / "releases" / "2026-08-20.1.tmp"
    (folder / "metrics.json").write_text("{}")
    changed = {finding.name: finding for finding in inspect_release(folder)}
    assert failed(changed) == {"checksums"}
    assert "metrics.json" in changed["checksums"].observed
