"""Publication of a day: its parts are collected in one release, checked, and served."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date

from grove import release
from grove.contracts import CheckResult, Verdict
from grove.datasets import METRICS, SYSTEMS, Layout
from grove.runtime.code_version import code_version
from grove.runtime.reports import read_report
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_arrow, table_versions
from grove.settings import Settings
from grove.stages.handoffs import (
    read_encoder,
    read_index,
    read_plan,
    read_trees,
    read_weights,
)
from grove.stages.release_tables import release_tables


def publish_release(run: StageRun, *, make_current: bool) -> None:
    """Collect in a temporary folder, seal with the manifest, check, and only then publish.

    Args:
        run: of the stage.
        make_current: serve it even where a later day is served.
    """
    layout, day = run.layout, run.day
    inputs = read_inputs(layout, day)
    release_id = release.next_release_id(layout.releases(), day)
    folder = release.start_release(layout.releases(), release_id)
    tables = release_tables(layout, day, read_encoder(layout, day), run.settings.source)
    metrics = release.metrics_by_stage(read_arrow(layout, METRICS, day=day))
    release.collect_parts(folder, release.Parts(inputs.folders(), tables, metrics))
    origin = _origin(inputs, layout, day, run_id=run.report.run_id, settings=run.settings)
    manifest = release.describe_release(folder, release_id, origin=origin, metrics=metrics)
    release.write_release(folder, manifest)
    run.report.rows(out=tables["items.parquet"].num_rows)
    run.report.version("content", manifest.content)
    run.report.note("release", release_id)
    findings = [asdict(finding) for finding in release.inspect_release(folder)]
    results = tuple(CheckResult(severity="fail", **finding) for finding in findings)
    if run.record(Verdict("release", results)):
        run.report.artifact = str(release.publish_folder(folder))
        pointer = layout.current_pointer()
        run.report.note("current", release.offer(pointer, release_id, insist=make_current))


def read_inputs(layout: Layout, day: date) -> release.ReleaseInputs:
    """Inputs of a release, from the day's reports.

    Raises:
        DataError: a stage of the day has not committed.
    """
    for stage in (*release.STAGES, *release.CANDIDATES.values()):
        read_report(layout, day, stage)
    updates = {system.name: read_weights(layout, day, system.name, "update") for system in SYSTEMS}
    trees = read_trees(layout, day)
    return release.ReleaseInputs(
        plan=read_plan(layout, day),
        trees_folder=trees.folder,
        trees={name: tree.as_notes() for name, tree in trees.trees.items()},
        index_folder=read_index(layout, day),
        weights={
            name: release.PublishedWeights(
                folder=weights.folder,
                model_version=weights.model_version,
                learned_through=weights.learned_through,
            )
            for name, weights in updates.items()
        },
        evaluated={
            system.name: read_weights(layout, day, system.name).model_version for system in SYSTEMS
        },
    )


def _origin(
    inputs: release.ReleaseInputs, layout: Layout, day: date, *, run_id: str, settings: Settings
) -> release.Origin:
    return release.Origin(
        run_id=run_id,
        code_version=code_version(),
        table_versions=table_versions(layout),
        # A release goes to its readers; the address of notices is not for them.
        settings=settings.model_dump(mode="json", exclude={"notices"}),
        **inputs.facts(day),
    )
