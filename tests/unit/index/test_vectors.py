import pytest

from grove.index.vectors import spread_rows


@pytest.mark.parametrize(("count", "at_most"), [(0, 5), (4, 5), (5, 5), (11, 5)])
def test_rows_are_distinct_and_in_range(count, at_most):
    rows = spread_rows(count, at_most)
    assert len(set(rows.tolist())) == min(count, at_most)
    assert all(0 <= row < count for row in rows)
