"""train_treebridge: candidate and update, once and twice, retrain and ordinary days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.jobs.shop_day import ITEM_COUNT, SMALL, land_items, land_shop, write_small_settings
from tests.jobs.tree_day import GENERATIONS, LEVELS, land_codes

from grove.contracts import Verdict
from grove.errors import DataError
from grove.features.model_metadata import read_metadata
from grove.runtime.files import read_json
from grove.runtime.stage_run import StageRun
from grove.stages import train_treebridge as treebridge
from grove.stages import training_pass as learning
from jobs import train_treebridge


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """Train in this process; that real workers agree is tested with STARS and in tests/unit."""
    monkeypatch.setattr(learning, "run_workers", lambda train, spec, *_: train(spec))
    monkeypatch.setattr(StageRun, "spark", lambda _: None)


@pytest.fixture
def shop(layout, day, settings_file):
    write_small_settings(settings_file, treebridge=SMALL)
    land_shop(layout, day)
    land_codes(layout, day)
    return layout


def verdict(layout, day, stage):
    return Verdict.from_json(Path(layout.verdict(day, stage, "treebridge")).read_text())


def publish(layout, day):
    """Make the day's candidate the model of a release, and name the release."""
    target = Path(layout.releases(), f"{day}.1", "models", "treebridge")
    target.parent.mkdir(parents=True)
    target.symlink_to(read_json(layout.report(day, "train_treebridge"))["artifact"])
    return f"{day}.1"


def test_a_retrain_day_trains_on_the_codes_of_the_day(shop, day, arguments):
    train_treebridge.run(arguments(training_pass="candidate"))
    written = read_json(shop.report(day, "train_treebridge"))
    assert written["status"] == "committed"
    assert written["rows"] == {"in": 60, "out": 2 * ITEM_COUNT, "rejected": 0}
    assert written["notes"]["trained"] is True
    assert len(written["notes"]["curve"]) == SMALL["epochs"]
    assert written["notes"]["generations"] == GENERATIONS
    assert written["notes"]["learned_through"] == str(day - timedelta(days=1))
    metadata = read_metadata(Path(written["artifact"]))
    assert metadata.arguments["trees"] == {"llm": LEVELS, "cf": LEVELS}
    names = {result.name for result in verdict(shop, day, "train_treebridge").results}
    assert {"finite_losses", "no_gap"} <= names
    assert not Path(shop.staging("train_treebridge", day)).exists()


def test_a_second_run_gives_the_same_model(shop, day, arguments):
    train_treebridge.run(arguments(training_pass="candidate"))
    first = read_json(shop.report(day, "train_treebridge"))
    train_treebridge.run(arguments(training_pass="candidate"))
    second = read_json(shop.report(day, "train_treebridge"))
    assert second["notes"] == first["notes"]
    assert second["artifact"] != first["artifact"]


def test_an_update_continues_from_the_candidate_and_is_evaluated_on_held_out_users(
    shop, day, arguments
):
    train_treebridge.run(arguments(training_pass="candidate"))
    train_treebridge.run(arguments(training_pass="update"))
    candidate, update = (
        read_json(shop.report(day, f"train_treebridge{name}"))["notes"] for name in ("", ".update")
    )
    assert update["model_version"] != candidate["model_version"]
    assert update["learned_through"] == str(day)
    assert 0 < update["drift"] < 0.5
    assert update["held_out"]["users"] > 5
    found = verdict(shop, day, "train_treebridge.update")
    assert found.passed
    names = {result.name for result in found.results}
    assert {"vector_drift", "update_not_worse", "finite_losses"} <= names


def test_weights_are_compared_without_a_boost_of_new_items(shop, day, arguments, monkeypatch):
    opened, open_searcher = [], treebridge.open_searcher

    def open_and_record(*asked):
        opened.append(open_searcher(*asked))
        return opened[-1]

    monkeypatch.setattr(treebridge, "open_searcher", open_and_record)
    train_treebridge.run(arguments(training_pass="candidate"))
    train_treebridge.run(arguments(training_pass="update"))
    assert [searcher.new_item_bonus for searcher in opened] == [0.0, 0.0]  # before and after


def test_an_ordinary_day_reuses_the_earlier_model_and_reaches_appended_items(shop, day, arguments):
    train_treebridge.run(arguments(training_pass="candidate"))
    release, tomorrow = publish(shop, day), day + timedelta(days=1)
    land_shop(shop, tomorrow, release=release)
    land_items(shop, tomorrow, 0, ITEM_COUNT + 2)
    land_codes(shop, tomorrow, ITEM_COUNT + 2)
    train_treebridge.run(arguments(day=tomorrow, training_pass="candidate"))
    written = read_json(shop.report(tomorrow, "train_treebridge"))
    assert written["artifact"] == str(Path(shop.releases(), release, "models", "treebridge"))
    assert written["notes"]["trained"] is False
    train_treebridge.run(arguments(day=tomorrow, training_pass="update"))
    updated = Path(read_json(shop.report(tomorrow, "train_treebridge.update"))["artifact"])
    assert read_metadata(updated).arguments["rows"]["items"] == ITEM_COUNT + 2 + 2


def test_a_model_trained_on_other_trees_is_not_used(shop, day, arguments):
    train_treebridge.run(arguments(training_pass="candidate"))
    release, tomorrow = publish(shop, day), day + timedelta(days=1)
    land_shop(shop, tomorrow, release=release)
    land_codes(shop, tomorrow, generations=GENERATIONS | {"cf": "cccccccccccc"})
    with pytest.raises(DataError, match="the generator was trained on another tree generation"):
        train_treebridge.run(arguments(day=tomorrow, training_pass="candidate"))
    assert read_json(shop.report(tomorrow, "train_treebridge"))["status"] == "failed"


def test_trees_rebuilt_after_the_candidate_stop_the_update(shop, day, arguments):
    train_treebridge.run(arguments(training_pass="candidate"))
    land_codes(shop, day, generations=GENERATIONS | {"llm": "cccccccccccc"})
    with pytest.raises(DataError, match="run the day again with --retrain"):
        train_treebridge.run(arguments(training_pass="update"))


def test_an_update_that_drifts_too_far_is_rejected(shop, day, arguments, settings_file):
    train_treebridge.run(arguments(training_pass="candidate"))
    far = {**SMALL, "max_drift": 1e-9, "update_learning_rate": 0.1}
    write_small_settings(settings_file, treebridge=far)
    train_treebridge.run(arguments(training_pass="update"))
    assert read_json(shop.report(day, "train_treebridge.update"))["status"] == "refused"
    failed = verdict(shop, day, "train_treebridge.update").failures
    assert "vector_drift" in {result.name for result in failed}


def test_an_update_without_its_candidate_is_an_error(shop, day, arguments):
    with pytest.raises(DataError, match="train_treebridge has no output"):
        train_treebridge.run(arguments(training_pass="update"))


def test_the_pass_is_an_argument(settings_file, day):
    command = ["--day", str(day), "--settings", str(settings_file), "--pass", "update"]
    assert train_treebridge.parse_arguments(command).training_pass == "update"
    assert train_treebridge.parse_arguments(command[:4]).training_pass == "candidate"
