"""Judges rows against their contract: Great Expectations inside, our own severity rule outside.

Importing this package does not import Great Expectations, which takes seconds; the functions
that need it do.
"""

from grove.quality.validate import validate_frame
from grove.quality.validate_dataset import validate_dataset

__all__ = ["validate_dataset", "validate_frame"]
