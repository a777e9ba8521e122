"""Judges rows against their contract: Great Expectations inside, our own severity rule outside.

Importing this package does not import Great Expectations, which takes seconds; the functions
that need it do.
"""

from grove.quality.judge import judge
from grove.quality.validate import validate_frame

__all__ = ["judge", "validate_frame"]
