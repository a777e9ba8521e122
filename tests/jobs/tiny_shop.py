"""A shop of a few events a day, whose days run through every job in the order of the DAG."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import yaml
from tests.jobs import arrow_stages

from grove.contracts import Verdict
from grove.datasets import Layout, stage_name
from grove.errors import DataError
from grove.runtime.files import read_json
from grove.runtime.landing import LandedFeed, Marker, write_marker
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import create_tables
from grove.settings import load_settings
from grove.stages import training_pass
from jobs import (
    build_histories,
    build_index,
    build_trees,
    embed_texts,
    evaluate_models,
    infer_users,
    ingest_landing,
    plan_day,
    publish_release,
    recommend,
    retrieve_candidates,
    train_dssm,
    train_stars,
    train_treebridge,
)

WIDTH = {"width": 16, "epochs": 1, "update_epochs": 1, "max_drift": 2.0}
NETWORK = {**WIDTH, "layers": 1, "heads": 2}
STEPS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (ingest_landing, {}),
    (embed_texts, {}),
    (plan_day, {"retrain": False}),
    (build_histories, {}),
    (train_dssm, {"training_pass": "candidate"}),
    (build_trees, {}),
    (train_treebridge, {"training_pass": "candidate"}),
    (train_stars, {"training_pass": "candidate"}),
    (evaluate_models, {}),
    (train_dssm, {"training_pass": "update"}),
    (train_treebridge, {"training_pass": "update"}),
    (train_stars, {"training_pass": "update"}),
    (infer_users, {}),
    (retrieve_candidates, {}),
    (build_index, {}),
    (publish_release, {"make_current": False}),
)
"""The jobs of a day with their own arguments, in the order of the DAG."""
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of a day."""

    status: str
    """`published`, `closed`, `refused` or `error`."""
    stage: str
    """The last stage that ran."""
    reason: str = ""
    """Of a refusal, the failed checks; of an error, its message."""


def event(number: int, day: date, **changes: Any) -> Row:
    """A click of one of three users on one of four items; the number makes its id."""
    return {
        "event_id": f"{day}-{number}",
        "event_type": "click",
        "user_id": f"u{number % 3}",
        "item_id": f"i{number % 4}",
        "event_time": f"{day}T08:00:{number % 60:02d}Z",
    } | changes


def item(number: int, day: date) -> Row:
    """An item of one of two categories."""
    return {
        "item_id": f"i{number}",
        "title": f"{('red', 'blue', 'green')[number % 3]} {('mug', 'shoe')[number % 2]} {number}",
        "category_path": ["Home", f"Aisle {number % 2}"],
        "tags": [],
        "regions": [],
        "first_seen": str(day),
    }


@dataclass(frozen=True, kw_only=True)
class TinyShop:
    """A home and its settings: the smallest models, and a source without a simulator."""

    layout: Layout
    settings_file: Path

    @classmethod
    def make(
        cls, folder: Path, decoder: Path, spark: Mapping[str, Any], **sections: Mapping[str, Any]
    ) -> TinyShop:
        """Make an empty home.

        Args:
            folder: of home and settings.
            decoder: folder of a text encoder.
            spark: settings of the session.
            **sections: settings to add or replace, by section.
        """
        settings: dict[str, Any] = {
            "home": str(folder / "home"),
            "spark": dict(spark),
            "source": {
                "name": "tiny-shop",
                "feeds": ["events", "catalogue"],
                "has_oracle": False,
            },
            "texts": {"encoder": str(decoder), "pooling": "last_token"},
            "ingest": {"max_quarantined_share": 1.0},
            "histories": {"max_events": 20},
            "dssm": WIDTH,
            "treebridge": {**NETWORK, "beam": 10},
            "stars": NETWORK,
            "trees": {"iterations": 5},
            "evaluation": {"tolerance": 1.0, "holdout_share": 0.4},
            "distributed": {"processes": 1},
        }
        for name, values in sections.items():
            settings[name] = {**settings.get(name, {}), **values}
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "settings.yaml"
        file.write_text(yaml.safe_dump(settings))
        layout = Layout(settings["home"])
        create_tables(layout)
        return cls(layout=layout, settings_file=file)

    def land(self, day: date, events: Sequence[Row], items: Sequence[Row]) -> None:
        """Write a day's feeds and its marker."""
        landed = {}
        for feed, rows in {"events": events, "catalogue": items}.items():
            folder = Path(self.layout.landing_feed(feed, day))
            folder.mkdir(parents=True, exist_ok=True)
            lines = [json.dumps(row) + "\n" for row in rows]
            (folder / "part-00000.jsonl").write_text("".join(lines))
            landed[feed] = LandedFeed(files=1, rows=len(rows))
        write_marker(self.layout, Marker(day=day, feeds=landed))

    def accept(self, day: date, events: Sequence[Row], items: Sequence[Row]) -> None:
        """Write the tables of a landed day without Spark, as ingest accepts it."""
        arrow_stages.accept(self.layout, day, events, items)

    def run(self, day: date) -> Outcome:
        """Run all jobs of a landed day; the training runs in this process."""
        with patch.object(training_pass, "run_workers", _train_here):
            return self._run(day, {})

    def run_without_spark(self, day: date) -> Outcome:
        """Run all jobs of an accepted day; see `tests.jobs.arrow_stages`."""
        layout, settings = self.layout, load_settings(self.settings_file)
        instead = {
            "ingest_landing": lambda: None,
            "build_histories": lambda: arrow_stages.write_histories(layout, day, settings),
            "infer_users": lambda: arrow_stages.write_users(layout, day),
            "retrieve_candidates": lambda: arrow_stages.write_candidates(layout, day, settings),
        }
        with ExitStack() as stack:
            stack.enter_context(patch.object(training_pass, "run_workers", _train_here))
            stack.enter_context(patch.object(StageRun, "spark", MagicMock()))
            return self._run(day, instead)

    def recommend(self) -> None:
        """Show the lists of some users, and of an unknown user in an unknown region."""
        for user, region in ((None, None), ("nobody", "nowhere")):
            recommend.run(self._arguments(None, user=user, k=10, region=region, query=""))

    def report(self, day: date, stage: str) -> dict[str, Any]:
        """Report of a stage."""
        return read_json(self.layout.report(day, stage))

    def _run(self, day: date, instead: Mapping[str, Callable[[], None]]) -> Outcome:
        """Run jobs until one does not commit, as the gates of the DAG do.

        Only data errors end a day: any other exception is a fault.
        """
        stage = ""
        for job, own in STEPS:
            name = job.__name__.removeprefix("jobs.")
            stage = stage_name(name, own.get("training_pass", "candidate"))
            try:
                if name in instead:
                    instead[name]()
                else:
                    job.run(self._arguments(day, **own))
            except DataError as error:
                return Outcome(status="error", stage=stage, reason=str(error))
            status = self.report(day, stage)["status"]
            if status != "committed":
                reason = "; ".join(self._failed_checks(day, stage))
                return Outcome(status=status, stage=stage, reason=reason)
        return Outcome(status="published", stage=stage)

    def _arguments(self, day: date | None, **own: object) -> Namespace:
        run = {"day": day, "days": (day,), "settings": str(self.settings_file), "run_id": "test"}
        return Namespace(**run, **own)

    def _failed_checks(self, day: date, stage: str) -> list[str]:
        folder = Path(self.layout.verdict(day, stage, "any")).parent
        verdicts = [Verdict.from_json(file.read_text()) for file in sorted(folder.glob("*.json"))]
        return [
            f"{verdict.dataset} {result.name}: {result.expected}, found {result.observed}"
            for verdict in verdicts
            for result in verdict.failures
        ]


def _train_here(train: Callable[[dict[str, Any]], None], spec: dict[str, Any], *_: object) -> None:
    train(spec)
