"""Reading of a settings file; all of its errors are reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from grove.errors import SettingsError
from grove.settings.sections import Settings

_SECRET_SECTION = "notices"
"""Its webhook is a secret: anyone who knows the address can post to it."""


def load_settings(path: str | Path) -> Settings:
    """Read one environment's settings file.

    Args:
        path: YAML file; keys are the sections of `Settings`.

    Returns:
        Frozen settings.

    Raises:
        SettingsError: the file is missing, is not YAML, or has unknown, missing or
            out-of-range keys; all of them are named in one message.
    """
    file = Path(path)
    if not file.is_file():
        raise SettingsError(
            "no settings file",
            where=str(file),
            expected="a YAML file with the sections of grove.settings.Settings",
            found="nothing",
            next_step="pass --settings, or run `make run`, which writes one",
        )
    return parse_settings(_read_mapping(file), where=str(file))


def parse_settings(values: dict[str, Any], *, where: str) -> Settings:
    """Validate a mapping as settings; see `load_settings`."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = [_sentence(problem) for problem in error.errors()]
        raise SettingsError(
            f"{len(problems)} settings are wrong",
            where=where,
            expected="known keys with values in range, as described in grove/settings",
            found="; ".join(problems),
            next_step="correct the file; every problem is listed above",
        ) from None  # pydantic's own message repeats every value, secret ones too


def _sentence(problem: ErrorDetails) -> str:
    """One problem with the value found, unless that is a whole section or may be a secret."""
    keys = [str(key) for key in problem["loc"]]
    sentence = f"{'.'.join(keys)}: {problem['msg']}"
    whole = problem["type"] in ("missing", "extra_forbidden") or isinstance(problem["input"], dict)
    if whole or keys[:1] == [_SECRET_SECTION]:
        return sentence
    return f"{sentence} (found {problem['input']!r})"


def _read_mapping(file: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(
            "settings are not YAML",
            where=str(file),
            expected="YAML",
            found=_problem_of(error),
            next_step="correct the line named above",
        ) from error
    if not isinstance(values, dict):
        raise SettingsError(
            "settings are not a mapping",
            where=str(file),
            expected="sections and their keys",
            found=type(values).__name__,
            next_step="see infra/environments/marketplace.yaml for the form",
        )
    return values


def _problem_of(error: yaml.YAMLError) -> str:
    """The error and its line number, without the line itself, which may hold a secret."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"{error.problem}, in line {error.problem_mark.line + 1}"
    return str(error)
