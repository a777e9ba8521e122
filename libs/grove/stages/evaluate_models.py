"""Evaluation of a day's candidate, before any training on the day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from grove.contracts import CheckResult, arrow_schema, load_contract
from grove.datasets import METRICS, Layout
from grove.evaluation.comparison import COMPARATOR, find_figure, times_better
from grove.evaluation.metrics import Targets, hit_rate
from grove.evaluation.segments import Measurement, measure_lists, segment_targets
from grove.quality.invariants import candidate_not_worse
from grove.release import read_manifest
from grove.release.plan import WEIGHTS_FORMAT, shape_of
from grove.runtime.stage_run import StageRun
from grove.settings import Settings
from grove.stages.evaluation_set import RECENT_DAYS, EvaluationSet, read_evaluation_set
from grove.stages.handoffs import read_encoder, read_plan
from grove.stages.model_inputs import text_vectors
from grove.stages.ranked_lists import (
    ModelSet,
    candidate_models,
    oracle_lists,
    ranked_lists,
    release_models,
)

BASELINES = ("popularity", "popularity_7_days")
ORACLE = "oracle"


def evaluate_models(run: StageRun) -> None:
    """Evaluate candidate, comparator, both popularity baselines and oracle; check; commit."""
    settings, day, encoder = run.settings, run.day, read_encoder(run.layout, run.day)
    evaluation_set = read_evaluation_set(
        run.layout,
        day,
        vectors=text_vectors(run.layout, encoder),
        source=settings.source,
        max_users=settings.evaluation.max_users,
    )
    candidate = candidate_models(run.layout, day)
    lists = _model_lists(candidate, evaluation_set, settings)
    comparator = find_comparator(run.layout, day, encoder)
    run.report.note_all(comparator.as_notes())
    if comparator.folder:
        release = release_models(comparator.folder, evaluation_set.item_table)
        same = release.equals(candidate)
        run.report.note("comparator_is_candidate", same)
        earlier = lists if same else _model_lists(release, evaluation_set, settings)
        lists |= {f"{COMPARATOR}{name}": found for name, found in earlier.items()}
    length = max(settings.evaluation.cutoffs)
    lists |= _popularity_lists(evaluation_set, day, length)
    if settings.source.has_oracle:
        lists[ORACLE] = oracle_lists(Path(run.layout.truth(day)), evaluation_set, length=length)
    figures = measure(evaluation_set, lists, settings)
    checks = [run.check_gaps(), *evaluation_checks(evaluation_set, lists, settings)]
    run.report.note_all(_notes(evaluation_set, figures, settings))
    run.report.rows(in_=len(evaluation_set.users), out=len(figures))
    rows = [{"day": day, "stage": run.name, **asdict(figure)} for figure in figures]
    table = pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(METRICS)))
    run.commit(METRICS, table, run.validate(METRICS, table, checks), stage=run.name)


@dataclass(frozen=True, kw_only=True)
class Comparator:
    """The release a candidate is compared with."""

    folder: Path | None
    """None where there is no release, or none that can be compared."""
    not_compared: str | None = None
    """Why a release cannot be compared."""

    def as_notes(self) -> dict[str, str | None]:
        """The comparator as the report holds it."""
        reason = {"not_compared": self.not_compared} if self.not_compared else {}
        return {"comparator": self.folder.name if self.folder else None, **reason}


def find_comparator(layout: Layout, day: date, encoder: str) -> Comparator:
    """Find the release to compare with.

    A release cannot be compared if its models were trained on another encoder's vectors, or if its
    weights were saved by code with other networks.

    Args:
        layout: paths of the home.
        day: D; its plan names the release.
        encoder: fingerprint of the day's encoder.
    """
    name = read_plan(layout, day).comparator
    if not name:
        return Comparator(folder=None)
    release = Path(layout.releases(), name)
    shape = shape_of(read_manifest(release))
    needed = {"encoder": encoder, "weights format": WEIGHTS_FORMAT}
    other = [f"{what} {shape.get(what)}" for what in needed if shape.get(what) != needed[what]]
    if other:
        reason = f"{name} was trained for {' and '.join(other)}"
        return Comparator(folder=None, not_compared=reason)
    return Comparator(folder=release)


def measure(
    evaluation_set: EvaluationSet, lists: Mapping[str, np.ndarray], settings: Settings
) -> list[Measurement]:
    """Figures of every list, over all targets and by segment."""
    segments = segment_targets(evaluation_set.targets, {"new_items": evaluation_set.new_items})
    if settings.source.keep_seen_items:
        segments["repurchases"] = evaluation_set.repurchases
    return [
        figure
        for name, found in lists.items()
        for figure in measure_lists(
            name,
            found,
            _ranked_for(segments, found) if name == ORACLE else segments,
            cutoffs=settings.evaluation.cutoffs,
            item_count=len(evaluation_set.item_table),
        )
    ]


def evaluation_checks(
    evaluation_set: EvaluationSet, lists: Mapping[str, np.ndarray], settings: Settings
) -> Iterator[CheckResult]:
    """Check that there is a target, and that the candidate is not worse than the comparator."""
    evaluation, targets = settings.evaluation, evaluation_set.targets
    yield CheckResult(
        name="somebody_judged",
        severity="warn",
        passed=len(targets.users) > 0,
        expected="at least one user with something to find",
        observed=f"{len(targets.users)} positives of {len(evaluation_set.users)} users",
    )
    rates = {
        name: hit_rate(lists[name], targets, cutoff=evaluation.gate_cutoff)
        for name in ("fused", f"{COMPARATOR}fused")
        if name in lists
    }
    yield candidate_not_worse(
        rates["fused"], rates.get(f"{COMPARATOR}fused"), tolerance=evaluation.tolerance
    )


def _model_lists(
    models: ModelSet, evaluation_set: EvaluationSet, settings: Settings
) -> dict[str, np.ndarray]:
    length = max(settings.evaluation.cutoffs)
    return ranked_lists(models, evaluation_set, length=length, search=settings.treebridge)


def _popularity_lists(
    evaluation_set: EvaluationSet, day: date, length: int
) -> dict[str, np.ndarray]:
    week = day - timedelta(days=RECENT_DAYS)
    lists = (evaluation_set.popularity(length), evaluation_set.popularity(length, since=week))
    return dict(zip(BASELINES, lists, strict=True))


def _ranked_for(segments: Mapping[str, Targets], lists: np.ndarray) -> dict[str, Targets]:
    """Only the users a list was made for; a simulator may rank for a sample of them."""
    listed = np.asarray((lists >= 0).any(axis=1))  # [U]
    return {name: targets.of_users(listed) for name, targets in segments.items()}


def _notes(
    evaluation_set: EvaluationSet, figures: Sequence[Measurement], settings: Settings
) -> dict[str, Any]:
    """The evaluation as the report holds it."""
    cutoff, targets = settings.evaluation.gate_cutoff, evaluation_set.targets
    best = times_better(
        find_figure(figures, "fused", "hit_rate", cutoff),
        [find_figure(figures, name, "hit_rate", cutoff) for name in BASELINES],
    )
    return {
        "users": int((targets.per_user() > 0).sum()),
        "users_without_history": len(evaluation_set.users) - len(evaluation_set.histories),
        "targets": len(targets.users),
        "not_judged": evaluation_set.left_out,
        "times_popularity": best,
        "figures": [asdict(figure) for figure in figures if figure.support],
    }
