import pyarrow as pa
import pytest

from grove.errors import DataError
from grove.index.vectors import spread_rows, vector_matrix


@pytest.mark.parametrize("rows", [[], [[]], [[1.0], [1.0, 2.0]]])
def test_vectors_of_no_or_several_widths_are_a_data_error(rows):
    with pytest.raises(DataError, match="do not form a matrix"):
        vector_matrix(pa.chunked_array([rows], pa.list_(pa.float32())))


def test_a_slice_of_a_column_is_read_from_its_own_start():
    column = pa.chunked_array([[[1.0], [2.0], [3.0]]]).slice(1)
    assert vector_matrix(column).tolist() == [[2], [3]]


@pytest.mark.parametrize(("count", "at_most"), [(0, 5), (4, 5), (5, 5), (11, 5)])
def test_rows_are_distinct_and_in_range(count, at_most):
    rows = spread_rows(count, at_most)
    assert len(set(rows.tolist())) == min(count, at_most)
    assert all(0 <= row < count for row in rows)
