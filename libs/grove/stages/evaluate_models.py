"""Judge a day's candidate before anything is learnt from the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from grove.contracts import CheckResult, arrow_schema, load_contract
from grove.datasets import METRICS
from grove.evaluation.comparison import COMPARATOR, find_figure, times_better
from grove.evaluation.metrics import Targets, hit_rate
from grove.evaluation.segments import Measurement, measure_lists, segment_targets
from grove.quality import validate_dataset
from grove.quality.invariants import candidate_not_worse, no_gap
from grove.release import read_manifest
from grove.release.plan import WEIGHTS_FORMAT
from grove.runtime.stage_run import StageRun
from grove.stages.evaluation_set import RECENT_DAYS, EvaluationSet, read_evaluation_set
from grove.stages.ranked_lists import (
    candidate_models,
    oracle_lists,
    ranked_lists,
    release_models,
)

BASELINES = ("popularity", "popularity_7_days")
ORACLE = "oracle"


def evaluate_day(stage: StageRun) -> None:
    """Measure the candidate, the comparator, both popularities and the oracle; judge; commit."""
    judged = read_evaluation_set(stage)
    lists = _all_lists(stage, judged)
    figures = _figures(stage, judged, lists)
    rates = {
        name: hit_rate(lists[name], judged.targets, cutoff=stage.settings.evaluation.gate_cutoff)
        for name in ("fused", f"{COMPARATOR}fused")
        if name in lists
    }
    rows = _metric_rows(stage, figures)
    verdict = validate_dataset(
        load_contract(METRICS),
        rows,
        run_name=f"{stage.day} {stage.name}",
        docs_folder=stage.docs_folder,
        invariants=tuple(_checks(stage, judged, rates)),
    )
    _tell(stage, judged, figures)
    stage.commit(METRICS, rows, verdict, stage=stage.name)


def _all_lists(stage: StageRun, judged: EvaluationSet) -> dict[str, np.ndarray]:
    settings = stage.settings
    length, search = max(settings.evaluation.cutoffs), settings.treebridge
    candidate = candidate_models(stage)
    lists = ranked_lists(candidate, judged, length=length, search=search)
    release = _comparator(stage)
    stage.report.note("comparator", release.name if release else None)
    if release:
        compared = release_models(release, judged.item_table)
        same = compared.equals(candidate)
        stage.report.note("comparator_is_candidate", same)
        earlier = lists if same else ranked_lists(compared, judged, length=length, search=search)
        lists |= {f"{COMPARATOR}{name}": found for name, found in earlier.items()}
    week = stage.day - timedelta(days=RECENT_DAYS)
    lists |= dict(
        zip(
            BASELINES,
            (judged.popularity(length), judged.popularity(length, since=week)),
            strict=True,
        )
    )
    if settings.source.has_oracle:
        truth = Path(stage.layout.truth(stage.day))
        lists[ORACLE] = oracle_lists(truth, judged, length=length)
    return lists


def _comparator(stage: StageRun) -> Path | None:
    """Folder of the release to compare with; none where its models can make nothing of the day.

    They cannot where they learnt another encoder's vectors, or where their weights were saved by
    code whose networks were others.
    """
    name = stage.earlier_report("plan_day")["notes"]["comparator"]
    if not name:
        return None
    release = Path(stage.layout.releases(), name)
    shape = read_manifest(release).plan["shape"]
    wanted = {
        "encoder": stage.earlier_report("embed_texts")["versions"]["encoder"],
        "weights format": WEIGHTS_FORMAT,
    }
    other = [f"{what} {shape.get(what)}" for what in wanted if shape.get(what) != wanted[what]]
    if other:
        stage.report.note("not_compared", f"{name} was trained for {' and '.join(other)}")
    return None if other else release


def _figures(
    stage: StageRun, judged: EvaluationSet, lists: Mapping[str, np.ndarray]
) -> list[Measurement]:
    segments = segment_targets(judged.targets, {"new_items": judged.new_items})
    if stage.settings.source.keep_seen_items:
        segments["repurchases"] = judged.repurchases
    return [
        figure
        for name, found in lists.items()
        for figure in measure_lists(
            name,
            found,
            _ranked_for(segments, found) if name == ORACLE else segments,
            cutoffs=stage.settings.evaluation.cutoffs,
            item_count=len(judged.item_table),
        )
    ]


def _ranked_for(segments: Mapping[str, Targets], lists: np.ndarray) -> dict[str, Targets]:
    """Only the users a list was made for; a simulator may rank for a sample of them."""
    listed = np.asarray((lists >= 0).any(axis=1))  # [U]
    return {name: targets.of_users(listed) for name, targets in segments.items()}


def _metric_rows(stage: StageRun, figures: Sequence[Measurement]) -> pa.Table:
    rows = [{"day": stage.day, "stage": stage.name, **asdict(figure)} for figure in figures]
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(METRICS)))


def _checks(
    stage: StageRun, judged: EvaluationSet, rates: Mapping[str, float]
) -> Iterator[CheckResult]:
    evaluation = stage.settings.evaluation
    yield no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap)
    yield CheckResult(
        name="somebody_judged",
        severity="warn",
        passed=len(judged.targets.users) > 0,
        expected="at least one user with something to find",
        observed=f"{len(judged.targets.users)} positives of {len(judged.users)} users",
    )
    yield candidate_not_worse(
        rates["fused"], rates.get(f"{COMPARATOR}fused"), tolerance=evaluation.tolerance
    )


def _tell(stage: StageRun, judged: EvaluationSet, figures: Sequence[Measurement]) -> None:
    """Put the figures into the report, for whoever asks what the day's models were worth."""
    cutoff = stage.settings.evaluation.gate_cutoff
    best = times_better(
        find_figure(figures, "fused", "hit_rate", cutoff),
        [find_figure(figures, name, "hit_rate", cutoff) for name in BASELINES],
    )
    report = stage.report
    report.note("users", int((judged.targets.per_user() > 0).sum()))
    report.note("users_without_history", len(judged.users) - len(judged.histories))
    report.note("targets", len(judged.targets.users))
    report.note("not_judged", judged.not_judged)
    report.note("times_popularity", best)
    report.note("figures", [asdict(figure) for figure in figures if figure.support])
    report.rows(in_=len(judged.users), out=len(figures))
