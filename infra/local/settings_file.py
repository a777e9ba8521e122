"""Write a source's settings file from its environment's values and what was typed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, get_args

import yaml

from grove.errors import SettingsError
from grove.runtime.files import write_text
from grove.settings import Settings
from grove.settings.load import parse_settings
from grove.settings.sections import SourceSettings
from infra.local.toolchain import REPOSITORY

ENVIRONMENTS = REPOSITORY / "infra" / "environments"
TEMPLATES = {
    "marketplace": "local.yaml",
    "online-retail": "online-retail.yaml",
    "amazon-reviews": "amazon-reviews.yaml",
}
"""Environment file of each source that `make run` knows."""


def template_of(source: str) -> Path:
    """Environment file of a source.

    Raises:
        SettingsError: there is no such source.
    """
    if source not in TEMPLATES:
        raise SettingsError(
            "no such source",
            where="SOURCE",
            expected=" or ".join(TEMPLATES),
            found=source,
            next_step="correct SOURCE=, or add a source; see libs/grove/sources",
        )
    return ENVIRONMENTS / TEMPLATES[source]


def known_first_day(file: Path, source: str) -> date | None:
    """First day of a source: as a former run wrote it, else as its environment says."""
    # As it stands: a value that is refused since then is about to be written anew.
    former = _source_of(file) if file.is_file() else {}
    first_day: date | None = former.get("first_day")
    return first_day or _source_of(template_of(source)).get("first_day")


def write_settings(
    file: Path, source: str, *, first_day: date, data: str | None, size: str | None
) -> Settings:
    """Write the settings file of a source below its home.

    Args:
        file: target, `<home>/settings.yaml`.
        source: key of `TEMPLATES`.
        first_day: first day of the source.
        data: folder of an outside data set.
        size: size of a simulated source.

    Returns:
        The settings, validated.

    Raises:
        SettingsError: an outside source without its folder, a shop of another size than the one
            that is there, or values out of range.
    """
    values = _values(template_of(source))
    values["home"] = str(file.parent)
    section = values.setdefault("source", {})
    section["first_day"] = first_day
    former = _source_of(file) if file.is_file() else {}
    section |= _given(data=former.get("data"), size=former.get("size"))
    section |= _given(data=_folder(data), size=_size(size))
    if size:
        _require_size_of(source, former.get("size"), file.parent, size)
    settings = parse_settings(values, where=f"{template_of(source).name} and what was typed")
    if source != "marketplace" and settings.source.data is None:
        raise _missing_data(source)
    template = f"infra/environments/{TEMPLATES[source]}"
    note = (
        f"# Written by `make run` from {template}: edit that, what is changed here is lost.\n"
        "# First day, data and size of the source are those of the first `make run`, or typed.\n"
    )
    write_text(file, note + yaml.safe_dump(values, sort_keys=False, allow_unicode=True))
    return settings


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
    if source != "marketplace":
        raise SettingsError(
            "a source of data has the size of its data",
            where="SIZE",
            expected="nothing",
            found=size,
            next_step="leave SIZE= out; only the marketplace is simulated",
        )
    if former is not None and size != former:
        raise SettingsError(
            "there is a shop of another size",
            where=f"SIZE, and {home}",
            expected=former,
            found=size,
            next_step="leave SIZE= out; for another shop, `make stop` and move this folder away",
        )


def _folder(data: str | None) -> str | None:
    if not data:
        return None
    folder = Path(data).expanduser().resolve()
    if not folder.is_dir():
        raise SettingsError(
            "no such data set",
            where=str(folder),
            expected="a folder",
            found="nothing",
            next_step="correct DATA=<folder>",
        )
    return str(folder)


def _missing_data(source: str) -> SettingsError:
    return SettingsError(
        "the source needs its data",
        where="DATA",
        expected=f"the folder of {source}",
        found="nothing",
        next_step=f"make run SOURCE={source} DATA=<folder> DAYS=<from>..<to>",
    )
