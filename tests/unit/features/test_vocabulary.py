"""Vocabulary: nothing, unknown, known; growth; files."""

from __future__ import annotations

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


def test_null_and_empty_are_nothing_and_a_stranger_is_unknown():
    vocabulary = Vocabulary(regions=("north", "south"))
    values = pa.array(["south", None, "", "west", "north"])
    assert vocabulary.encode("regions", values).tolist() == [3, 0, 0, 1, 2]
    assert vocabulary.rows("regions") == 4


def test_files_hold_the_same_vocabulary(tmp_path):
    vocabulary = Vocabulary(items=("b", "a"), attributes=("brand:Ö",), regions=("north",))
    save_vocabulary(tmp_path, vocabulary)
    assert load_vocabulary(tmp_path) == vocabulary
