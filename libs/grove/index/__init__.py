"""Approximate index for maximum inner product search, and its recall."""

from grove.index.build import ItemIndex, build_index
from grove.index.files import load_index, save_index
from grove.index.keys import RowsByKey, item_keys
from grove.index.lookup import exact_search, recall_against_exact, search

__all__ = [
    "ItemIndex",
    "RowsByKey",
    "build_index",
    "exact_search",
    "item_keys",
    "load_index",
    "recall_against_exact",
    "save_index",
    "search",
]
