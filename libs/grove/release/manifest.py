"""The manifest: the metadata of a release, read before any of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any

from grove.errors import DataError
from grove.release.checksums import FileRecord

MANIFEST_FILE = "manifest.json"
FORMAT_VERSION = 1
_ADDED_LATER: dict[str, Any] = {"judged": {}}
"""Values of fields that are missing in the manifests of older releases."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Metadata of one release: its files, its origin and its metrics."""

    release_id: str
    """Day and attempt, for example `2026-11-19.2`."""
    day: date
    format_version: int = FORMAT_VERSION
    run_id: str = "manual"
    content: str
    """Fingerprint over all files; equal inputs and code give equal content."""
    code_version: str
    files: Mapping[str, FileRecord]
    table_versions: Mapping[str, int] = field(default_factory=dict)
    """Delta version of every table at the collection of the release."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)
    """Decision of `plan_day`, with its reasons."""
    metrics: Mapping[str, Any] = field(default_factory=dict)
    """Figures over all users and items, by the stage that measured them. Those of
    `evaluate_models` are of the weights in `judged`."""
    trees: Mapping[str, Any] = field(default_factory=dict)
    """Per tree: generation, build day, churn, distortion."""
    weights: Mapping[str, Any] = field(default_factory=dict)
    """Per model: version of the published weights, and the last day of their training data."""
    judged: Mapping[str, str] = field(default_factory=dict)
    """Per model: version of the weights that the day evaluated, before they were trained on it."""

    @property
    def encoder(self) -> str:
        """Fingerprint of the encoder that the release's texts were embedded by.

        Raises:
            DataError: the plan of the release does not state it.
        """
        encoder = self.plan.get("shape", {}).get("encoder")
        if encoder is None:
            raise _malformed(self.release_id, "a plan without the encoder of texts")
        return str(encoder)

    def to_json(self) -> dict[str, Any]:
        """The manifest as an object for JSON."""
        return {**asdict(self), "day": self.day.isoformat()}


def parse_manifest(values: Mapping[str, Any], *, where: str) -> Manifest:
    """Read what `Manifest.to_json` wrote.

    Args:
        values: the decoded JSON object.
        where: path of the file, for messages.

    Raises:
        DataError: a field is missing, unknown or malformed, or the format is another one.
    """
    values = {**_ADDED_LATER, **values}
    known = {one.name for one in fields(Manifest)}
    problems = [f"unknown field {name}" for name in sorted(set(values) - known)]
    problems += [f"missing field {name}" for name in sorted(known - set(values))]
    if not problems and values["format_version"] != FORMAT_VERSION:
        problems = [f"format_version {values['format_version']}"]
    if problems:
        raise _malformed(where, "; ".join(problems))
    try:
        files = {name: FileRecord(**record) for name, record in values["files"].items()}
        day = date.fromisoformat(values["day"])
    except (TypeError, ValueError, AttributeError) as error:
        raise _malformed(where, str(error)) from error
    return Manifest(**{**values, "day": day, "files": files})


def _malformed(where: str, found: str) -> DataError:
    return DataError(
        "a release's manifest is malformed",
        where=where,
        expected=f"the fields of grove.release.Manifest, format {FORMAT_VERSION}",
        found=found,
        next_step="serve another release: `make rollback TO=<id>`, and publish this day again",
    )
