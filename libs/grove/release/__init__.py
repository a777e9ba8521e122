"""A release: one folder, one manifest written last, and one pointer to the served release."""

from grove.release.collect import Origin, Parts, collect_parts, describe_release, start_release
from grove.release.consistency import Finding, inspect_release
from grove.release.inputs import CANDIDATES, MODELS, STAGES, PublishedWeights, ReleaseInputs
from grove.release.manifest import Manifest
from grove.release.pointer import current_release, move_pointer, offer, point_to
from grove.release.rows import (
    POPULARITY_FILE,
    SEEN_FILE,
    day_rows,
    item_rows,
    metrics_by_stage,
    past_tables,
)
from grove.release.store import (
    expected_release,
    list_releases,
    newest_release_before,
    next_release_id,
    publish_folder,
    read_manifest,
    superfluous_releases,
    verify_release,
    write_release,
)

__all__ = [
    "CANDIDATES",
    "MODELS",
    "POPULARITY_FILE",
    "SEEN_FILE",
    "STAGES",
    "Finding",
    "Manifest",
    "Origin",
    "Parts",
    "PublishedWeights",
    "ReleaseInputs",
    "collect_parts",
    "current_release",
    "day_rows",
    "describe_release",
    "expected_release",
    "inspect_release",
    "item_rows",
    "list_releases",
    "metrics_by_stage",
    "move_pointer",
    "newest_release_before",
    "next_release_id",
    "offer",
    "past_tables",
    "point_to",
    "publish_folder",
    "read_manifest",
    "start_release",
    "superfluous_releases",
    "verify_release",
    "write_release",
]
