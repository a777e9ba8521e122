"""The item table: features of the items that every model reads besides their ids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from grove.errors import DataError
from grove.features.ids import FIRST_KNOWN, PAD
from grove.features.vectors import vector_matrix
from grove.features.vocabulary import Vocabulary

CATEGORY_SEPARATOR = " > "
PRICE_BUCKETS = 10
"""Buckets of known prices; bucket 0 means that the price is unknown."""
_BUCKETS_PER_TENFOLD = 3


@dataclass(frozen=True, kw_only=True)
class ItemFeatures:
    """Features of N items as tensors; row 0 is no item, item i of the table is row i + 1."""

    ids: Tensor
    """[N+1] int64, row of the item in the vocabulary; 1 = unknown."""
    attributes: Tensor
    """[N+1, A] int64, rows of the item's attributes, 0-padded; unknown ones are left out."""
    text: Tensor
    """[N+1, E] float32, unit-norm text vectors."""

    @property
    def count(self) -> int:
        """N, without row 0."""
        return len(self.ids) - 1

    def to(self, device: str) -> ItemFeatures:
        """Copy every tensor to a device."""
        return ItemFeatures(
            ids=self.ids.to(device),
            attributes=self.attributes.to(device),
            text=self.text.to(device),
        )


def price_bucket(price: float | None) -> int:
    """Put a price on a scale of ten steps, three per factor of ten.

    The scale is fixed, not fitted, so a bucket means the same on every day.

    Args:
        price: in the shop's currency; none or negative is unknown.

    Returns:
        0 for unknown, else 1 (below 1.2) to 10 (999 and above).

    Example:
        >>> [price_bucket(price) for price in (None, 0.5, 19.99, 5000.0)]
        [0, 1, 4, 10]
    """
    if price is None or not price >= 0:
        return 0
    return 1 + min(int(_BUCKETS_PER_TENFOLD * np.log10(price + 1)), PRICE_BUCKETS - 1)


def build_item_table(items: pa.Table, text_vectors: pa.Table) -> pa.Table:
    """Join the catalogue as of a day with the vectors of its texts.

    Args:
        items: rows of `items`, one per item, with a column `text_hash` added.
        text_vectors: `text_hash` and `vector`, rows of `text_embeddings` of one encoder.

    Returns:
        item_id, text_vector (fixed-size float32 list), category ("A > B > C"), brand ("" none),
        tags, price_bucket (int8); sorted by item_id.

    Raises:
        DataError: some item's text has no vector.
    """
    items = items.sort_by("item_id")
    rows = pc.index_in(items["text_hash"], value_set=text_vectors["text_hash"].combine_chunks())
    if rows.null_count:
        raise _missing_vectors(items, rows)
    known = text_vectors["vector"].combine_chunks()
    width = len(known[0]) if len(known) else 1
    flat = known.take(rows.combine_chunks()).flatten().cast(pa.float32())
    return pa.table(
        {
            "item_id": items["item_id"],
            "text_vector": pa.FixedSizeListArray.from_arrays(flat, width),
            "category": pc.binary_join(items["category_path"], CATEGORY_SEPARATOR),
            "brand": pc.fill_null(items["brand"], ""),
            "tags": items["tags"],
            "price_bucket": pa.array(
                [price_bucket(price) for price in items["price"].to_pylist()], pa.int8()
            ),
        }
    )


def item_attributes(item_table: pa.Table) -> list[list[str]]:
    """Name every attribute of every item, as one controlled vocabulary.

    A category counts once per level, so cousins share their upper levels.

    Source: STARS §4.1, the multi-hot tag vector t_i; here the tags are those of the catalogue.

    Args:
        item_table: as `build_item_table` returns it.

    Returns:
        One list per item, in table order, such as
        `["category:Home", "category:Home > Lamps", "brand:Birch", "tag:oak", "price:4"]`.
    """
    columns = ("category", "brand", "tags", "price_bucket")
    return [
        [
            *_category_levels(category or ""),
            *([f"brand:{brand}"] if brand else []),
            *sorted(f"tag:{tag}" for tag in set(tags or ())),
            *([f"price:{bucket}"] if bucket else []),
        ]
        for category, brand, tags, bucket in zip(
            *(item_table[column].to_pylist() for column in columns), strict=True
        )
    ]


def item_features(item_table: pa.Table, vocabulary: Vocabulary) -> ItemFeatures:
    """Encode an item table with a model's vocabulary.

    Args:
        item_table: N rows, as `build_item_table` returns them.
        vocabulary: of the model; items it does not have become the unknown id.

    Returns:
        Tensors of N + 1 rows.
    """
    ids = vocabulary.encode("items", item_table["item_id"].combine_chunks())  # [N]
    rows = {name: row for row, name in enumerate(vocabulary.attributes, start=FIRST_KNOWN)}
    known = [
        [rows[name] for name in names if name in rows] for names in item_attributes(item_table)
    ]
    attributes = np.full((len(known) + 1, max(map(len, known), default=0) or 1), PAD)  # [N+1, A]
    for row, names in enumerate(known, start=1):
        attributes[row, : len(names)] = names
    text = text_matrix(item_table)  # [N, E]
    return ItemFeatures(
        ids=torch.from_numpy(np.concatenate([[PAD], ids])),
        attributes=torch.from_numpy(attributes),
        text=torch.from_numpy(np.vstack([np.zeros_like(text[:1]), text])),
    )


def text_matrix(item_table: pa.Table) -> np.ndarray:
    """Text vectors of an item table, [N, E] float32."""
    return vector_matrix(item_table["text_vector"])


def _category_levels(category: str) -> list[str]:
    levels = category.split(CATEGORY_SEPARATOR) if category else []
    return [
        f"category:{CATEGORY_SEPARATOR.join(levels[: depth + 1])}" for depth in range(len(levels))
    ]


def _missing_vectors(items: pa.Table, rows: pa.ChunkedArray) -> DataError:
    missing = items.filter(pc.is_null(rows))["item_id"]
    return DataError(
        "items without a text vector",
        where=f"text_embeddings, for {len(missing)} items",
        expected="a vector for the text of every item as of the day",
        found=f"none for {missing[0].as_py()} and {len(missing) - 1} others",
        next_step="run embed_texts for this day first",
    )
