"""Vocabulary of a model: names to embedding rows, and its files beside the weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.features.event_fields import EVENT_FIELDS
from grove.features.ids import FIRST_KNOWN, PAD
from grove.features.name_rows import rows_of

_ITEMS_FILE = "vocabulary_items.parquet"
_NAMES_FILE = "vocabulary.json"


def _no_names() -> dict[str, tuple[str, ...]]:
    return {each.name: () for each in EVENT_FIELDS}


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The names a model knows, in the order of their embedding rows.

    Every mapping is 0 for nothing, 1 for unknown, 2 and up for the names in order.

    Example:
        >>> vocabulary = Vocabulary(items=("pear", "apple"))
        >>> vocabulary.encode("items", pa.array(["apple", "kiwi", ""])).tolist()
        [3, 1, 0]
    """

    items: tuple[str, ...] = ()
    """Item ids."""
    attributes: tuple[str, ...] = ()
    """Item attributes such as `brand:Birch`; see `grove.features.items.item_attributes`."""
    event_fields: Mapping[str, tuple[str, ...]] = field(default_factory=_no_names)
    """Names by event field. A field that was added after the model was trained is not in it."""

    @classmethod
    def of_events(cls, **names: tuple[str, ...]) -> Vocabulary:
        """A vocabulary of event fields alone; a field that is not given has no names."""
        return cls(event_fields={**_no_names(), **names})

    @property
    def tables(self) -> tuple[str, ...]:
        """Lists of names, each with an embedding table."""
        return ("items", "attributes", *self.event_fields)

    def names(self, table: str) -> tuple[str, ...]:
        """Names of one of the `tables`, in the order of their rows."""
        own = {"items": self.items, "attributes": self.attributes}
        return own[table] if table in own else self.event_fields[table]

    def rows(self, table: str) -> int:
        """Rows an embedding table needs: its names, nothing and unknown."""
        return len(self.names(table)) + FIRST_KNOWN

    def encode(self, table: str, values: pa.Array) -> np.ndarray:
        """Map names to rows.

        Args:
            table: one of `tables`.
            values: [E] strings; "" and null mean nothing.

        Returns:
            [E] int64 in 0 .. rows(table) − 1.
        """
        rows = rows_of(values, pa.array(self.names(table), pa.string())) + FIRST_KNOWN
        nothing = pc.fill_null(pc.equal(values, ""), fill_value=True)
        rows[nothing.to_numpy(zero_copy_only=False)] = PAD
        return rows

    def grow(self, item_ids: Iterable[str], attributes: Iterable[str] = ()) -> Vocabulary:
        """Append unseen items and attributes; existing rows never change.

        Args:
            item_ids: items the vocabulary should have.
            attributes: attributes it should have.

        Returns:
            A vocabulary that starts with this one; what is new follows in sorted order.

        Example:
            >>> Vocabulary(items=("pear",)).grow(["apple", "pear", "fig"]).items
            ('pear', 'apple', 'fig')
        """
        return replace(
            self,
            items=self.items + tuple(sorted(set(item_ids) - set(self.items))),
            attributes=self.attributes + tuple(sorted(set(attributes) - set(self.attributes))),
        )


def save_vocabulary(folder: Path, vocabulary: Vocabulary) -> None:
    """Write items as Parquet (there may be millions) and the short lists as JSON."""
    items = pa.table({"item_id": pa.array(vocabulary.items, pa.string())})
    pq.write_table(items, folder / _ITEMS_FILE)
    names = {"attributes": vocabulary.attributes, **vocabulary.event_fields}
    (folder / _NAMES_FILE).write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read what `save_vocabulary` wrote."""
    content = json.loads((folder / _NAMES_FILE).read_text(encoding="utf-8"))
    names = {table: tuple(values) for table, values in content.items()}
    items = pq.read_table(folder / _ITEMS_FILE).column("item_id").to_pylist()
    return Vocabulary(items=tuple(items), attributes=names.pop("attributes"), event_fields=names)
