"""Write a source's settings file from its environment and the variables typed after `make`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import TypeAdapter, ValidationError

from grove.day import FORM
from grove.errors import SettingsError
from grove.runtime.files import write_text
from grove.settings import Settings
from grove.settings.load import parse_settings
from grove.settings.section import Day
from grove.settings.shop import SourceSettings
from grove.sources import source_kind
from infra.local.toolchain import REPOSITORY

ENVIRONMENTS = REPOSITORY / "infra" / "environments"


def known_sources() -> tuple[str, ...]:
    """Sources that `make run` knows: each has an environment file of its name."""
    return tuple(
        file.stem
        for file in sorted(ENVIRONMENTS.glob("*.yaml"))
        if _source_of(file).get("name") == file.stem
    )


def template_of(source: str) -> Path:
    """Environment file of a source.

    Raises:
        SettingsError: there is no such source.
    """
    known = known_sources()
    if source not in known:
        raise SettingsError(
            "no such source",
            where="SOURCE",
            expected=" or ".join(known),
            found=source,
            next_step="correct SOURCE=, or add a source; see libs/grove/sources/template.py",
        )
    return ENVIRONMENTS / f"{source}.yaml"


def known_first_day(file: Path, source: str) -> date | None:
    """First day of a source: from the file of an earlier run, else from its environment."""
    # Read without validation: a value that is rejected by now is about to be replaced.
    former = _source_of(file) if file.is_file() else {}
    first_day = former.get("first_day") or _source_of(template_of(source)).get("first_day")
    return first_day if first_day is None else _read_day(first_day, file)


def write_settings(
    file: Path, source: str, *, first_day: date, data: str | None, size: str | None
) -> Settings:
    """Write the settings file of a source below its home.

    Args:
        file: target, `<home>/settings.yaml`.
        source: one of `known_sources`.
        first_day: first day of the source.
        data: file or folder of an outside data set.
        size: size of a simulated source.

    Returns:
        The settings, validated.

    Raises:
        SettingsError: an outside source without its data, a size that differs from that of the
            existing shop, or values out of range.
    """
    values = _values(template_of(source))
    values["home"] = str(file.parent)
    section = values.setdefault("source", {})
    section["first_day"] = first_day
    former = _source_of(file) if file.is_file() else {}
    section |= _given(data=former.get("data"), size=former.get("size"))
    section |= _given(data=_data_path(data), size=_size(size))
    if size:
        _require_size_of(source, former.get("size"), file.parent, size)
    settings = parse_settings(values, where=f"{source}.yaml and the typed variables")
    if source_kind(source).needs_data and settings.source.data is None:
        raise _missing_data(source)
    template = f"infra/environments/{source}.yaml"
    note = (
        f"# Written by `make run` from {template}: edit that file; changes made here are lost.\n"
        "# First day, data and size of the source are those of the first `make run`, or typed.\n"
    )
    write_text(file, note + yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return settings


def _read_day(value: object, file: Path) -> date:
    try:
        return TypeAdapter(Day).validate_python(value)
    except ValidationError as error:
        raise SettingsError(
            "the first day of the source is not a day",
            where=f"{file}, source.first_day",
            expected=FORM,
            found=repr(value),
            next_step="correct it in this file, or in the environment file it was written from",
        ) from error


def _values(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def _source_of(file: Path) -> dict[str, Any]:
    return dict(_values(file).get("source", {}))


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _size(size: str | None) -> str | None:
    sizes = get_args(SourceSettings.model_fields["size"].annotation)
    if size and size not in sizes:
        raise SettingsError(
            "no such size of a shop",
            where="SIZE",
            expected=" or ".join(sizes),
            found=size,
            next_step="correct SIZE=",
        )
    return size


def _require_size_of(source: str, former: str | None, home: Path, size: str) -> None:
    """A simulated shop of another size has other items and users, by the same ids."""
    if not source_kind(source).has_size:
        raise SettingsError(
            "a source of data has the size of its data",
            where="SIZE",
            expected="nothing",
            found=size,
            next_step="leave SIZE= out; only a simulated shop, such as the marketplace, has one",
        )
    if former is not None and size != former:
        raise SettingsError(
            "the existing shop has another size",
            where=f"SIZE, and {home}",
            expected=former,
            found=size,
            next_step="leave SIZE= out; for another shop, `make stop` and move this folder away",
        )


def _data_path(data: str | None) -> str | None:
    if not data:
        return None
    path = Path(data).expanduser().resolve()
    if not path.exists():
        raise SettingsError(
            "no such data set",
            where=str(path),
            expected="a file or folder",
            found="nothing",
            next_step="correct DATA=<path>",
        )
    return str(path)


def _missing_data(source: str) -> SettingsError:
    return SettingsError(
        "the source needs its data",
        where="DATA",
        expected=f"the path of the data set of {source}",
        found="nothing",
        next_step=f"make run SOURCE={source} DATA=<path> DAYS=<from>..<to>",
    )
