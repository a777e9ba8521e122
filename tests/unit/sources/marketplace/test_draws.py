import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from grove.sources.marketplace.draws import normals, pick, uniforms


@given(st.integers(1, 40), st.integers(0, 40))
def test_more_draws_keep_the_first_ones(few, more):
    for draw in (uniforms, normals):
        long = draw(3, "name", 5, shape=(few + more, 4))
        assert np.array_equal(draw(3, "name", 5, shape=(few, 4)), long[:few])


def test_streams_differ_by_seed_purpose_and_key():
    names = [(1, "a", 0), (2, "a", 0), (1, "b", 0), (1, "a", 1)]
    first = {float(uniforms(seed, purpose, key, shape=(1,))[0]) for seed, purpose, key in names}
    assert len(first) == len(names)


def reference_pick(weights, draw):
    total, target = 0.0, draw * sum(weights)
    for column, weight in enumerate(weights):
        total += weight
        if target < total:
            return column
    raise AssertionError


@given(
    st.lists(
        st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any), min_size=1, max_size=5
    ),
    st.floats(0, 0.999),
)
def test_pick_agrees_with_a_plain_loop(weights, draw):
    matrix = np.array(weights, dtype=float)
    expected = [reference_pick(row, draw) for row in matrix]
    assert pick(matrix, np.full(len(matrix), draw)).tolist() == expected
    assert pick(matrix[0], np.array([draw])).tolist() == expected[:1]
