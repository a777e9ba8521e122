from datetime import date

import pyarrow as pa
import pytest

from grove.errors import DataError
from grove.systems.treebridge.trees.codes import codes_of_day, vectors_of_items


def test_codes_name_day_tree_and_generation(tree):
    codes = codes_of_day({"llm": tree, "cf": tree}, date(2026, 11, 19))
    assert codes.num_rows == 400
    assert set(codes["tree"].to_pylist()) == {"llm", "cf"}
    first = codes.slice(0, 1).to_pylist()[0]
    assert first == {
        "item_id": "item-0000",
        "path": tree.paths[0].tolist(),
        "slot": int(tree.slots[0]),
        "day": date(2026, 11, 19),
        "tree": "llm",
        "generation": tree.generation,
    }


def test_vectors_follow_the_order_of_the_items():
    rows = pa.table({"item_id": ["b", "x", "a"], "vector": [[3.0, 4.0], [0.0, 0.0], [1.0, 2.0]]})
    assert vectors_of_items(rows, pa.array(["a", "b"])).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("vectors", "what"),
    [
        ([[1.0], [2.0]], "without a vector"),
        ([[1.0], [2.0, 3.0], [4.0]], "do not form a matrix"),
    ],
)
def test_missing_or_uneven_vectors_are_a_data_error(vectors, what):
    rows = pa.table({"item_id": ["a", "b", "c"][: len(vectors)], "vector": vectors})
    with pytest.raises(DataError, match=what) as caught:
        vectors_of_items(rows, pa.array(["a", "b", "c"]))
    assert len(vectors) == 3 or "the first are c" in caught.value.found
