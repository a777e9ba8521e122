import faiss
import numpy as np
import pytest

from grove.errors import DataError, SettingsError
from grove.index import build_index, item_keys


def pairs(count, width=8, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)
    return item_keys([f"item-{number}" for number in range(count)]), vectors


def build(keys, vectors, factory="IDMap2,HNSW32"):
    return build_index(keys, vectors, factory=factory, ef_construction=40)


def test_equal_input_gives_equal_bytes():
    faiss.omp_set_num_threads(2)
    one, other = (faiss.serialize_index(build(*pairs(3000)).vectors).tobytes() for _ in range(2))
    assert one == other
    assert faiss.omp_get_max_threads() == 2
    faiss.omp_set_num_threads(1)


@pytest.mark.parametrize("factory", ["IDMap2,HNSW32", "IDMap2,Flat"])
def test_an_index_without_equal_vectors_is_a_plain_one(factory):
    keys, vectors = pairs(500)
    plain = faiss.index_factory(8, factory, faiss.METRIC_INNER_PRODUCT)
    if "HNSW" in factory:
        faiss.ParameterSpace().set_index_parameter(plain, "efConstruction", 40)
    faiss.omp_set_num_threads(1)
    plain.add_with_ids(vectors, keys)
    found = faiss.serialize_index(build(keys, vectors, factory).vectors)
    assert found.tobytes() == faiss.serialize_index(plain).tobytes()


def test_the_setting_reaches_the_graph():
    index = build(*pairs(50))
    graph = faiss.downcast_index(index.vectors.index)
    assert graph.hnsw.efConstruction == 40
    assert graph.metric_type == faiss.METRIC_INNER_PRODUCT


def test_an_index_that_needs_training_is_trained():
    assert build(*pairs(500), factory="IDMap2,IVF4,Flat").ntotal == 500


@pytest.mark.parametrize("factory", ["HNSW32", "Nonsense", "IDMap2,Nonsense"])
def test_a_factory_that_cannot_serve_is_a_settings_error(factory):
    with pytest.raises(SettingsError, match=r"index\.factory"):
        build(*pairs(10), factory=factory)


def test_more_lists_than_vectors_are_a_settings_error():
    with pytest.raises(SettingsError, match="cannot be built over these vectors") as caught:
        build(*pairs(50), factory="IDMap2,IVF100,Flat")
    assert "index.factory" in caught.value.where
    assert "50 vectors of width 8" in caught.value.expected
    assert "100" in caught.value.found
    assert "HNSW" in caught.value.next_step


@pytest.mark.parametrize(
    ("keys", "vectors", "found"),
    [
        (np.arange(2), np.array([[1.0, np.nan], [1.0, 0.0]]), "1 vectors that are not finite"),
        (np.arange(3), np.eye(2), r"\(3,\) keys"),
        (np.arange(0), np.empty((0, 2)), r"\(0, 2\) vectors"),
    ],
)
def test_vectors_that_cannot_be_indexed_are_data_errors(keys, vectors, found):
    with pytest.raises(DataError, match=found):
        build(keys, vectors)
