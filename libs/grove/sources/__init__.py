"""Outside data sets and the built-in simulator: each turns a day into landing files."""

from grove.sources.registry import (
    open_source,
    require_days,
    require_feeds,
    source_kind,
    source_names,
)
from grove.sources.source import CalendarDay, FeedFiles, Source, SourceKind, SourceOptions

__all__ = [
    "CalendarDay",
    "FeedFiles",
    "Source",
    "SourceKind",
    "SourceOptions",
    "open_source",
    "require_days",
    "require_feeds",
    "source_kind",
    "source_names",
]
