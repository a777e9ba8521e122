"""Vocabulary: nothing, unknown, known; growth; files."""

from __future__ import annotations

import json

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from grove.features.vocabulary import Vocabulary, load_vocabulary, save_vocabulary

NAMES = st.lists(st.text(min_size=1, max_size=4), unique=True, max_size=8)


@given(first=NAMES, second=NAMES)
def test_growing_never_moves_a_row(first, second):
    before = Vocabulary(items=tuple(first))
    after = before.grow(second)
    assert after.items[: len(first)] == before.items
    assert set(after.items) == set(first) | set(second)
    assert len(after.items) == len(set(after.items))
    assert after.grow(second) == after
    kept = pa.array(first, pa.string())
    assert before.encode("items", kept).tolist() == after.encode("items", kept).tolist()


def test_null_and_empty_are_row_zero_and_a_new_name_is_unknown():
    vocabulary = Vocabulary.of_events(regions=("north", "south"))
    values = pa.array(["south", None, "", "west", "north"])
    assert vocabulary.encode("regions", values).tolist() == [3, 0, 0, 1, 2]
    assert vocabulary.rows("regions") == 4


def test_files_hold_the_same_vocabulary(tmp_path):
    vocabulary = Vocabulary.of_events(regions=("north",)).grow(["b", "a"], ["brand:Ö"])
    save_vocabulary(tmp_path, vocabulary)
    assert load_vocabulary(tmp_path) == vocabulary


def test_a_field_added_after_the_folder_was_written_is_not_in_its_vocabulary(tmp_path):
    save_vocabulary(tmp_path, Vocabulary.of_events(regions=("north",)))
    file = tmp_path / "vocabulary.json"
    names = json.loads(file.read_text(encoding="utf-8"))
    del names["promotions"]
    file.write_text(json.dumps(names), encoding="utf-8")
    earlier = load_vocabulary(tmp_path)
    assert "promotions" not in earlier.tables
    assert "promotions" not in earlier.grow(["a"]).tables
    assert earlier.rows("regions") == 3
