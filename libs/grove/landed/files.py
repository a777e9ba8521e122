"""Files of a landed day: format and compression of each, and refusal of what cannot be read.

Every file below a feed's folder is read, is known bookkeeping of a writer, or is refused by name:
a file that nobody reads would be a silent loss.
"""

from __future__ import annotations

import fnmatch
import gzip
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Literal

from grove.errors import DataError

FileFormat = Literal["JSON lines", "CSV", "Parquet"]

ENDINGS: dict[str, FileFormat] = {
    ".jsonl": "JSON lines",
    ".ndjson": "JSON lines",
    ".json": "JSON lines",
    ".csv": "CSV",
    ".parquet": "Parquet",
}
"""Ending of a name, in any case, → format; all but Parquet may be followed by `.gz`."""
BOOKKEEPING = (
    "_SUCCESS",
    "_committed_*",
    "_started_*",
    "_metadata",
    "_common_metadata",
    "*.crc",
    ".DS_Store",
)
"""Files that writers leave beside their data; they hold no rows."""
_GZIP = b"\x1f\x8b"
_FOREIGN_BEGINNINGS = {
    b"\xff\xfe": "UTF-16 or UTF-32 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"PK\x03\x04": "a ZIP archive",
    b"\x28\xb5\x2f\xfd": "Zstandard data",
    b"BZh": "bzip2 data",
    b"\xfd7zXZ": "xz data",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"PAR1": "a Parquet file",
    _GZIP: "gzip data inside gzip data",
}
READ = ", ".join(ENDINGS)


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One file of one feed and day that can be read."""

    path: str
    name: str
    """Path relative to the folder of the day; quarantine and messages show it."""
    day: date
    format: FileFormat
    gzipped: bool
    """By its first bytes, whatever its name says."""
    size_bytes: int


def landed_files(folder: str, day: date, paths: Iterable[str]) -> list[LandedFile]:
    """Classify the files of one feed and day.

    Args:
        folder: of the feed and day.
        day: landing day.
        paths: every file below the folder.

    Returns:
        The files that hold rows, in the order of their names.

    Raises:
        DataError: a file is hidden, has an unknown ending or another content than its name says.
    """
    named = {_name(folder, path): path for path in paths}
    return [
        _landed_file(path, name, day)
        for name, path in sorted(named.items())
        if not _is_bookkeeping(name)
    ]


def _landed_file(path: str, name: str, day: date) -> LandedFile:
    _require_shown(path, name)
    file_format = _format(path, name)
    beginning = _beginning(path)
    gzipped = beginning.startswith(_GZIP)
    if file_format != "Parquet":
        _require_text(path, _decompressed(path) if gzipped else beginning, file_format)
    return LandedFile(
        path=path,
        name=name,
        day=day,
        format=file_format,
        gzipped=gzipped and file_format != "Parquet",
        size_bytes=Path(path).stat().st_size,
    )


def _name(folder: str, path: str) -> str:
    return PurePosixPath(path).relative_to(folder).as_posix()


def _is_bookkeeping(name: str) -> bool:
    last = PurePosixPath(name).name
    return any(fnmatch.fnmatchcase(last, pattern) for pattern in BOOKKEEPING)


def _format(path: str, name: str) -> FileFormat:
    lower = name.lower()
    plain = lower.removesuffix(".gz")
    for ending, file_format in ENDINGS.items():
        if plain.endswith(ending) and (plain == lower or file_format != "Parquet"):
            return file_format
    raise unreadable(
        path,
        expected=f"a name that ends in {READ}, or in one of the text endings and .gz",
        found=f"{PurePosixPath(name).name!r}",
        next_step="rename the file if it holds such rows, else remove it, and run the day again",
    )


def _require_shown(path: str, name: str) -> None:
    if not name.isprintable():
        raise unreadable(
            path.encode("unicode_escape").decode(),
            expected="a file name of printable characters",
            found=ascii(name),
            next_step="rename the file and run the day again",
        )
    hidden = [part for part in PurePosixPath(name).parts if part.startswith(("_", "."))]
    if hidden:
        raise unreadable(
            path,
            expected="names that do not start with _ or ., by which writers mark unfinished files",
            found=f"{hidden[0]!r}",
            next_step="rename it if it is complete, else remove it, and run the day again",
        )


def _beginning(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(4096)


def _decompressed(path: str) -> bytes:
    """Beginning of the text in a gzip file; a damaged one is reported when its rows are read."""
    try:
        with gzip.open(path, "rb") as file:
            return file.read(4096)
    except (OSError, EOFError, zlib.error):
        return b""


def _require_text(path: str, beginning: bytes, file_format: FileFormat) -> None:
    foreign = [what for magic, what in _FOREIGN_BEGINNINGS.items() if beginning.startswith(magic)]
    if foreign:
        raise unreadable(path, expected=f"{file_format} in UTF-8", found=foreign[0])
    shown = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if file_format == "JSON lines" and shown.startswith(b"["):
        raise unreadable(path, expected="one JSON object per line", found="a JSON list")


def unreadable(
    path: str,
    *,
    expected: str,
    found: str,
    next_step: str = "correct the collector and land the day again",
) -> DataError:
    """The error for a file that cannot be read at all."""
    return DataError(
        "a landed file cannot be read",
        where=path,
        expected=expected,
        found=found,
        next_step=next_step,
    )
