"""Validation of rows against their contract, with Great Expectations and Grove's severity rule.

Importing this package does not import Great Expectations, which takes seconds; the functions
that need it do.
"""

from grove.quality.validate import validate_frame
from grove.quality.validate_dataset import validate_dataset

__all__ = ["validate_dataset", "validate_frame"]
