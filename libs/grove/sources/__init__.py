"""Outside data sets and the built-in simulator: each turns a day into landing files."""

from grove.sources.registry import SOURCES, open_source, require_days, require_feeds
from grove.sources.source import CalendarDay, FeedFiles, Source

__all__ = [
    "SOURCES",
    "CalendarDay",
    "FeedFiles",
    "Source",
    "open_source",
    "require_days",
    "require_feeds",
]
