"""Base class of the sections of the settings file."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from grove.day import not_a_day, parse_day


def _read_day(value: object) -> date:
    """A day as YAML has read it, or as text; pydantic alone also takes numbers and times."""
    if isinstance(value, str):
        return parse_day(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise not_a_day(value)


AtLeastOne = Annotated[int, Field(ge=1)]
Day = Annotated[date, BeforeValidator(_read_day)]
"""A day in the one spelling of `grove.day`."""


class Section(BaseModel):
    """A section of the settings file: frozen, and unknown keys are errors."""

    # Defaults are checked as well: one may not fit a value that was given beside it.
    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )
