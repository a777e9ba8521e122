"""Construction of an index; the same vectors give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import faiss
import numpy as np

from grove.errors import DataError, SettingsError
from grove.index.groups import ItemGroups, first_equal_rows, group_items


@dataclass(frozen=True, kw_only=True, eq=False)
class ItemIndex:
    """An index of items, which holds every distinct vector once."""

    vectors: faiss.Index
    """G distinct vectors under the keys of their groups."""
    groups: ItemGroups
    """Items by group."""

    @property
    def ntotal(self) -> int:
        """N, number of items."""
        return len(self.groups.members)

    @property
    def is_graph(self) -> bool:
        """Whether the vectors are in an HNSW graph."""
        return _is_graph(self.vectors)

    def reconstruct(self, key: int) -> np.ndarray:
        """Vector of an item as the index stores it, [D] float32."""
        group = self.groups.group_keys(np.array([key]))[0]
        return np.asarray(self.vectors.reconstruct(int(group)))


def build_index(
    keys: np.ndarray, vectors: np.ndarray, *, factory: str, ef_construction: int
) -> ItemIndex:
    """Build an index for maximum inner product search.

    Items whose vectors are equal, number by number, share one entry; see `grove.index.groups`. One
    thread adds the vectors: with several, an HNSW graph would depend on their timing.

    Args:
        keys: [N] int64, distinct, at least 0; their order is that of equal scores in a search.
        vectors: [N, D] float, finite.
        factory: FAISS factory string that keeps keys, such as "IDMap2,HNSW32".
        ef_construction: HNSW candidates while building; other kinds ignore it.

    Returns:
        An index to be searched by `grove.index.search`.

    Raises:
        DataError: no vectors, vectors that are not finite, or another number of keys.
        SettingsError: FAISS does not know the factory string, the index keeps no keys, or it cannot
            be built over this number of vectors of this width.

    Example:
        >>> keys, equal = np.array([7, 9, 5]), np.array([[1, 0], [0, 1], [1, 0]])
        >>> index = build_index(keys, equal, factory="IDMap2,Flat", ef_construction=8)
        >>> index.ntotal, index.vectors.ntotal, index.groups.members.tolist()
        (3, 2, [7, 5, 9])
    """
    dense = _require_pairs(keys, vectors)
    firsts = first_equal_rows(dense)  # [N]
    distinct = np.flatnonzero(firsts == np.arange(len(firsts)))  # [G]
    dense = np.ascontiguousarray(dense[distinct])  # [G, D]
    index = _open_factory(dense.shape[1], factory)
    if _is_graph(index):
        faiss.ParameterSpace().set_index_parameter(index, "efConstruction", ef_construction)
    try:
        with one_thread():
            index.train(dense)
            index.add_with_ids(dense, keys[distinct])
    except RuntimeError as error:
        raise _cannot_hold(factory, dense, str(error)) from error
    return ItemIndex(vectors=index, groups=group_items(keys, keys[firsts]))


def _is_graph(index: faiss.Index) -> bool:
    """Whether a FAISS index is an HNSW graph below its keys."""
    below = index.index  # type: ignore[attr-defined]
    return isinstance(faiss.downcast_index(below), faiss.IndexHNSW)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let FAISS use one thread inside the block."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(threads)


def _open_factory(width: int, factory: str) -> faiss.Index:
    try:
        index = faiss.index_factory(width, factory, faiss.METRIC_INNER_PRODUCT)
    except RuntimeError as error:
        raise _unknown_factory(factory, str(error)) from error
    if not isinstance(index, faiss.IndexIDMap):
        raise _unknown_factory(factory, type(index).__name__)
    return index


def _unknown_factory(factory: str, found: str) -> SettingsError:
    return SettingsError(
        "invalid index factory",
        where=f"setting index.factory, {factory!r}",
        expected='a FAISS factory string that starts with "IDMap2,", such as "IDMap2,HNSW32"',
        found=found,
        next_step="correct the setting",
    )


def _cannot_hold(factory: str, vectors: np.ndarray, found: str) -> SettingsError:
    return SettingsError(
        "the index cannot be built over these vectors",
        where=f"setting index.factory, {factory!r}",
        expected=f"an index for {len(vectors)} vectors of width {vectors.shape[1]}, each counted"
        " once; a trained index needs more vectors than it has lists or codes",
        found=found,
        next_step='choose fewer lists or codes, or "IDMap2,HNSW32", which needs no training',
    )


def _require_pairs(keys: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    dense = np.ascontiguousarray(vectors, dtype=np.float32)
    pairs = dense.ndim == 2 and dense.size and keys.shape == dense.shape[:1]
    if pairs and np.isfinite(dense).all():
        return dense
    raise DataError(
        "vectors cannot be indexed",
        where="item vectors",
        expected="finite vectors [N, D] with N, D >= 1, and one key each",
        found=f"{dense.shape} vectors, {keys.shape} keys"
        if not pairs
        else f"{(~np.isfinite(dense).all(axis=1)).sum()} vectors that are not finite",
        next_step="correct the stage that wrote the item vectors and run it again",
    )
