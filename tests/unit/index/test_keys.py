import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grove.errors import DataError
from grove.index import item_keys, keys


@given(st.lists(st.text(min_size=1), unique=True, max_size=50))
def test_keys_are_distinct_and_never_negative(item_ids):
    found = item_keys(item_ids)
    assert found.dtype == np.int64
    assert len(np.unique(found)) == len(item_ids)
    assert (found >= 0).all()


def test_a_key_depends_on_nothing_but_the_id():
    assert item_keys(["a", "b", "c"])[1] == item_keys(["b"])[0]


def test_a_repeated_id_is_a_data_error():
    with pytest.raises(DataError, match="share a key"):
        item_keys(["a", "b", "a"])


def test_a_collision_names_both_ids(monkeypatch):
    monkeypatch.setattr(keys, "KEY_BITS", 1)
    with pytest.raises(DataError) as caught:
        item_keys(["ä", "b", "c"])
    assert len(caught.value.found.split(", ")) >= 2
