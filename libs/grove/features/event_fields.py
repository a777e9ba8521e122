"""Categorical fields of an event: the one table from which every other list of them follows.

From it follow the arrays of `histories`, the vocabulary, the tensors of a batch, the embedding
tables of every model and the inputs of an exported one. To add a field, append it to `SCENE` and
declare its array in `schemas/histories.v1.yaml`, as a nullable column, so that existing tables are
widened. Models trained before keep their shape and ignore it until they are trained from scratch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EventField:
    """A categorical field of an event."""

    name: str
    """Array in `histories`, list of the vocabulary, tensor of a batch, and embedding table."""
    column: str
    """Column of `interactions` with the value of one event."""


KIND = EventField("event_types", "event_type")
"""Kind of event, such as a click; the one field that every event has."""
SCENE = (
    EventField("regions", "region"),
    EventField("devices", "device"),
    EventField("weathers", "weather"),
    EventField("promotions", "promotion"),
)
"""Circumstances of the event; each may be unknown."""
EVENT_FIELDS = (KIND, *SCENE)
