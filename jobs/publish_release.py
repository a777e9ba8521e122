"""Collect what the day made into one release, check it, and move the pointer to it.

Reads   the day's reports of the train jobs (both passes), build_trees and build_index, and
        their artifacts; items as of D, text_embeddings, codes, user_embeddings,
        user_candidates, histories, metrics, and the positives of interactions up to D
Writes  releases/<day>.<attempt>/ with its manifest last, then releases/current.json, unless a
        later day is being served
Fails   when a stage of the day has not committed; refuses a release whose parts do not
        belong together; what is being served stays either way

    python jobs/publish_release.py --day 2026-11-19 --settings var/local/settings.yaml
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from grove import release
from grove.contracts import CheckResult, Verdict
from grove.datasets import METRICS
from grove.runtime.arguments import job_parser, parse
from grove.runtime.code_version import code_version
from grove.runtime.job import run_job
from grove.runtime.stage_run import StageRun, open_stage
from grove.runtime.tables import read_arrow, table_versions
from grove.stages.release_tables import release_tables


def parse_arguments(argv: Sequence[str] | None = None) -> Namespace:
    """Parse the command line."""
    parser = job_parser(__doc__)
    parser.add_argument(
        "--make-current", action="store_true", help="serve it even where a later day is served"
    )
    return parse(parser, argv)


def run(arguments: Namespace) -> None:
    """Collect aside, seal with the manifest, check, and only then let readers see it."""
    with open_stage("publish_release", arguments) as stage:
        release_id = release.next_release_id(stage.layout.releases(), stage.day)
        folder = release.start_release(stage.layout.releases(), release_id)
        release.write_release(folder, _collect(stage, folder, release_id))
        findings = [asdict(finding) for finding in release.inspect_release(folder)]
        results = tuple(CheckResult(severity="fail", **finding) for finding in findings)
        stage.report.note("release", release_id)
        if stage.record(Verdict("release", results)):
            stage.report.artifact = str(release.publish_folder(folder))
            pointer, insist = stage.layout.current_pointer(), arguments.make_current
            stage.report.note("current", release.offer(pointer, release_id, insist=insist))


def _collect(stage: StageRun, folder: Path, release_id: str) -> release.Manifest:
    stages = (*release.STAGES, *release.CANDIDATES.values())
    reports = {name: stage.earlier_report(name) for name in stages}
    metrics = release.metrics_by_stage(read_arrow(stage.layout, METRICS, day=stage.day))
    tables = release_tables(stage)
    parts = release.Parts(release.release_folders(reports), tables, metrics)
    release.collect_parts(folder, parts)
    stage.report.rows(out=tables["items.parquet"].num_rows)
    origin = release.Origin(
        run_id=stage.report.run_id,
        code_version=code_version(),
        table_versions=table_versions(stage.layout),
        # A release goes to its readers; where notices are sent is not for them.
        settings=stage.settings.model_dump(mode="json", exclude={"notices"}),
        **release.release_facts(reports, stage.day),
    )
    manifest = release.describe_release(folder, release_id, origin=origin, metrics=metrics)
    stage.report.version("content", manifest.content)
    return manifest


if __name__ == "__main__":
    sys.exit(run_job(run, parse_arguments()))
