from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from grove.contracts import Verdict, arrow_schema, load_contract
from grove.datasets import CODES, ITEM_VECTORS, USER_EMBEDDINGS
from grove.errors import DataError
from grove.index import load_index, search
from grove.runtime.files import read_json
from grove.runtime.tables import replace_partition
from jobs import build_index

VERSION = "0123456789ab"


def write(layout, dataset, rows, **partition):
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(dataset)))
    replace_partition(table, layout, dataset, partition)


def write_items(layout, day, count, *, coded=None, vectors=None):
    if vectors is None:
        vectors = np.random.default_rng(0).normal(size=(count, 16))
    rows = [
        {
            "day": day,
            "model": "stars",
            "training_pass": "update",
            "model_version": VERSION,
            "item_id": f"item-{number:03d}",
            "vector": vectors[number].tolist(),
        }
        for number in range(count)
    ]
    write(layout, ITEM_VECTORS, rows, day=day, model="stars", training_pass="update")
    paths = [
        {
            "day": day,
            "tree": "llm",
            "item_id": f"item-{number:03d}",
            "path": [number],
            "slot": 0,
            "generation": VERSION,
        }
        for number in range(coded or count)
    ]
    write(layout, CODES, paths, day=day, tree="llm")
    return {row["item_id"]: np.array(row["vector"], dtype=np.float32) for row in rows}


@pytest.fixture
def users(layout, day):
    generator = np.random.default_rng(1)
    rows = [
        {
            "day": day,
            "user_id": f"user-{number:03d}",
            "h_gen": [1.0] * 16,
            "h_next": generator.normal(size=16).tolist(),
            "model_version": VERSION,
        }
        for number in range(50)
    ]
    write(layout, USER_EMBEDDINGS, rows, day=day)


def verdict_of(layout, day):
    return Verdict.from_json(Path(layout.verdict(day, "build_index", "index")).read_text())


@pytest.mark.parametrize("count", [1, 5, 300])
def test_the_index_answers_items_by_inner_product(layout, day, users, arguments, count):
    vectors = write_items(layout, day, count)
    build_index.run(arguments())
    written = read_json(layout.report(day, "build_index"))
    assert sorted(file.name for file in Path(written["artifact"]).iterdir()) == [
        "index.faiss",
        "index.json",
        "keys.parquet",
    ]
    described = read_json(Path(written["artifact"]) / "index.json")
    assert (described["items"], described["queries"]) == (count, 50)
    assert described["recall"] >= 0.95
    index, keys = load_index(written["artifact"])
    query = np.ones((1, 16), dtype=np.float32)
    found = search(index, query, k=1, ef_search=16)[0][0, 0]
    best = max(vectors, key=lambda item_id: float(vectors[item_id].sum()))
    assert keys["item_id"][keys["item_key"].to_pylist().index(found)].as_py() == best
    assert {result.name for result in verdict_of(layout, day).results} == {
        "finite_vectors",
        "index_complete",
        "index_recall",
    }


def test_a_second_run_gives_the_same_bytes(layout, day, users, arguments):
    write_items(layout, day, 200)
    contents = []
    for _ in range(2):
        build_index.run(arguments())
        made = Path(read_json(layout.report(day, "build_index"))["artifact"])
        contents.append({file.name: file.read_bytes() for file in made.iterdir()})
    assert contents[0] == contents[1]


def test_a_missing_item_rejects_the_day_and_leaves_the_old_index(layout, day, users, arguments):
    write_items(layout, day, 20)
    build_index.run(arguments())
    write_items(layout, day, 20, coded=21)
    build_index.run(arguments())
    assert read_json(layout.report(day, "build_index"))["status"] == "refused"
    assert [one.name for one in verdict_of(layout, day).failures] == ["index_complete"]
    attempts = Path(layout.attempts(day, "build_index"))
    assert [path.name for path in attempts.iterdir() if path.name.isdigit()] == ["1"]


def test_low_recall_rejects_the_day(layout, day, users, arguments, settings_file):
    write_items(layout, day, 400)
    values = yaml.safe_load(settings_file.read_text())
    values["index"] = {"factory": "IDMap2,IVF64,Flat", "min_recall": 0.9}
    settings_file.write_text(yaml.safe_dump(values))
    build_index.run(arguments())
    assert [one.name for one in verdict_of(layout, day).failures] == ["index_recall"]


def test_no_item_vectors_is_a_data_error(layout, day, users, arguments):
    with pytest.raises(DataError, match="do not form a matrix"):
        build_index.run(arguments())


@pytest.mark.parametrize(("distinct", "copies"), [(40, 10), (1, 300), (100, 2)])
def test_a_shop_of_equal_items_gets_an_index(layout, day, users, arguments, distinct, copies):
    different = np.random.default_rng(2).normal(size=(distinct, 16)).astype(np.float32)
    write_items(layout, day, copies * distinct, vectors=np.tile(different, (copies, 1)))
    build_index.run(arguments())
    written = read_json(layout.report(day, "build_index"))
    assert written["status"] == "committed"
    described = read_json(Path(written["artifact"]) / "index.json")
    assert (described["items"], described["vectors"]) == (distinct * copies, distinct)
    assert described["largest_group"] == copies
    index, keys = load_index(written["artifact"])
    found, _ = search(index, different[:1], k=distinct * copies, ef_search=128)
    assert sorted(found[0]) == sorted(keys["item_key"].to_pylist())


def nearly_equal(count):
    generator = np.random.default_rng(3)
    return (generator.normal(size=16) + 0.01 * generator.normal(size=(count, 16))).astype("float32")


def test_a_graph_over_nearly_equal_items_is_replaced_by_an_exact_index(
    layout, day, users, arguments
):
    write_items(layout, day, 400, vectors=nearly_equal(400))
    build_index.run(arguments())
    verdict = verdict_of(layout, day)
    assert verdict.passed
    assert [one.name for one in verdict.warnings] == ["graph_recall"]
    described = read_json(
        Path(read_json(layout.report(day, "build_index"))["artifact"]) / "index.json"
    )
    assert (described["factory"], described["recall"]) == ("IDMap2,Flat", 1.0)
    assert described["graph_recall"] < 0.95


def test_a_low_recall_states_the_contents_of_the_index(
    layout, day, users, arguments, settings_file
):
    write_items(layout, day, 600, vectors=np.repeat(nearly_equal(300), 2, axis=0))
    values = yaml.safe_load(settings_file.read_text())
    values["index"] = {"exact_up_to": 0}
    settings_file.write_text(yaml.safe_dump(values))
    build_index.run(arguments())
    (failure,) = verdict_of(layout, day).failures
    assert failure.name == "index_recall"
    assert "600 items with 300 distinct vectors" in failure.observed
    assert "at most 2 items share one" in failure.observed
    assert "index.factory" in failure.expected
