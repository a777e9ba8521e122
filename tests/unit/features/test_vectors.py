"""A column of vectors becomes a matrix, or an error that states the reason."""

import numpy as np
import pyarrow as pa
import pytest

from grove.errors import DataError
from grove.features.vectors import vector_matrix


@pytest.mark.parametrize("rows", [[], [[]], [[1.0], [1.0, 2.0]]])
def test_vectors_of_no_or_several_widths_are_a_data_error(rows):
    with pytest.raises(DataError, match="do not form a matrix"):
        vector_matrix(pa.chunked_array([rows], pa.list_(pa.float32())))


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float32(), 1)])
def test_a_slice_of_a_column_is_read_from_its_own_start(kind):
    column = pa.chunked_array([[[1.0], [2.0], [3.0]]], kind).slice(1)
    found = vector_matrix(column)
    assert found.tolist() == [[2], [3]]
    assert found.dtype == np.float32


def test_no_vectors_of_a_fixed_width_are_an_empty_matrix():
    assert vector_matrix(pa.chunked_array([[]], pa.list_(pa.float32(), 3))).shape == (0, 3)
