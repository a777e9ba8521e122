"""Base class of the sections of the settings file."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

AtLeastOne = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A section of the settings file: frozen, and unknown keys are errors."""

    # Defaults are checked as well: one may not fit a value that was given beside it.
    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )
