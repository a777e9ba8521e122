"""From names to small integers, and the files that keep the mapping beside the weights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from grove.features.ids import FIRST_KNOWN, PAD

_ITEMS_FILE = "vocabulary_items.parquet"
_NAMES_FILE = "vocabulary.json"


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
    event_types: tuple[str, ...] = ()
    """Kinds of event."""
    regions: tuple[str, ...] = ()
    """Regions of events."""
    devices: tuple[str, ...] = ()
    """Devices of events."""
    weathers: tuple[str, ...] = ()
    """Weather at events."""
    promotions: tuple[str, ...] = ()
    """Promotions at events."""

    def rows(self, field: str) -> int:
        """Rows an embedding table of a field needs: its names, nothing and unknown."""
        return len(getattr(self, field)) + FIRST_KNOWN

    def encode(self, field: str, values: pa.Array) -> np.ndarray:
        """Map names to rows.

        Args:
            field: attribute of this class.
            values: [E] strings; "" and null mean nothing.

        Returns:
            [E] int64 in 0 .. rows(field) − 1.
        """
        names = pa.array(getattr(self, field), pa.string())
        known = pc.fill_null(pc.index_in(values, value_set=names), -1)
        rows = known.to_numpy(zero_copy_only=False).astype(np.int64) + FIRST_KNOWN
        nothing = pc.fill_null(pc.equal(values, ""), fill_value=True)
        rows[nothing.to_numpy(zero_copy_only=False)] = PAD
        return rows

    def grow(self, item_ids: Iterable[str], attributes: Iterable[str] = ()) -> Vocabulary:
        """Append unseen items and attributes; rows already given out never move.

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
    names = asdict(vocabulary)
    items = pa.table({"item_id": pa.array(names.pop("items"), pa.string())})
    pq.write_table(items, folder / _ITEMS_FILE)
    (folder / _NAMES_FILE).write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")


def load_vocabulary(folder: Path) -> Vocabulary:
    """Read what `save_vocabulary` wrote."""
    names = json.loads((folder / _NAMES_FILE).read_text(encoding="utf-8"))
    items = pq.read_table(folder / _ITEMS_FILE).column("item_id").to_pylist()
    return Vocabulary(items=tuple(items), **{key: tuple(value) for key, value in names.items()})
