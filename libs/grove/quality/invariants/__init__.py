"""Invariants of a stage that no check of single rows can express; one result per function.

Great Expectations validates one frame. These functions check counts from several sources, vectors,
trees and models. Their results are part of the same verdict.
"""

from grove.quality.invariants.artifacts import (
    every_text_embedded,
    finite_unit_vectors,
    finite_vectors,
    leaf_capacity,
    one_path_per_item,
)
from grove.quality.invariants.drift import (
    columns_as_before,
    filled_as_before,
    values_as_before,
)
from grove.quality.invariants.index import graph_recall, index_recall
from grove.quality.invariants.models import (
    candidate_not_worse,
    finite_losses,
    something_learned,
    update_not_worse,
    vector_drift,
)
from grove.quality.invariants.order import (
    earlier_days_current,
    left_events_kept,
    no_later_day_built,
)
from grove.quality.invariants.rows import (
    files_as_announced,
    known_items,
    no_gap,
    one_row_per_user,
    quarantined_share,
    rows_as_announced,
    rows_conserved,
    rows_on_open_day,
    volume_like_weekday,
)

__all__ = [
    "candidate_not_worse",
    "columns_as_before",
    "earlier_days_current",
    "every_text_embedded",
    "files_as_announced",
    "filled_as_before",
    "finite_losses",
    "finite_unit_vectors",
    "finite_vectors",
    "graph_recall",
    "index_recall",
    "known_items",
    "leaf_capacity",
    "left_events_kept",
    "no_gap",
    "no_later_day_built",
    "one_path_per_item",
    "one_row_per_user",
    "quarantined_share",
    "rows_as_announced",
    "rows_conserved",
    "rows_on_open_day",
    "something_learned",
    "update_not_worse",
    "values_as_before",
    "vector_drift",
    "volume_like_weekday",
]
