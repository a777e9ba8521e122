"""A run of a stage: commits, rejections, reports and locks."""

from __future__ import annotations

import json
from argparse import Namespace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from grove.contracts import arrow_schema, load_contract
from grove.contracts.verdict import CheckResult, Verdict
from grove.datasets import INTERACTIONS, METRICS, QUALITY_RESULTS, QUERIES, STAGE_REPORTS
from grove.errors import DataError, InfrastructureError
from grove.runtime import locks
from grove.runtime import stage_run as stage_module
from grove.runtime.days import gap_days, newest_accepted_day, require_history
from grove.runtime.landing import Marker, write_marker
from grove.runtime.records import write_metrics
from grove.runtime.stage_run import open_stage
from grove.runtime.tables import open_table, read_arrow, replace_partition

DAY = date(2026, 8, 20)


def result(*, passed=True, severity="fail", name="rows_counted"):
    return CheckResult(name=name, severity=severity, passed=passed, expected="all", observed="some")


def verdict(dataset="queries", **of_result):
    return Verdict(dataset, (result(**of_result),))


def queries(day, words):
    rows = [{"day": day, "query": word, "searches": 2, "clicks": 1} for word in words]
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(QUERIES)))


def words(layout):
    return sorted(read_arrow(layout, QUERIES)["query"].to_pylist())


def report(layout, stage="ingest_landing", day=DAY):
    return json.loads(Path(layout.report(day, stage)).read_text())


def interactions(day):
    row = {
        "day": day,
        "event_id": f"e{day}",
        "event_type": "click",
        "user_id": "u",
        "item_id": "i",
        "event_time": datetime(day.year, day.month, day.day, 8, tzinfo=UTC),
    }
    return pa.Table.from_pylist([row], schema=arrow_schema(load_contract(INTERACTIONS)))


def accept(layout, *days):
    for day in days:
        replace_partition(interactions(day), layout, INTERACTIONS, {"day": day})


def test_a_passed_verdict_replaces_the_partition(arguments, layout):
    with open_stage("ingest_landing", arguments()) as run:
        run.report.rows(in_=3, out=2, rejected=1)
        run.report.note("feeds", ["events"])
        assert run.commit(QUERIES, queries(DAY, ["mug", "pen"]), verdict())
    assert words(layout) == ["mug", "pen"]
    written = report(layout)
    assert written["status"] == "committed"
    assert written["rows"] == {"in": 3, "out": 2, "rejected": 1}
    assert written["notes"] == {"feeds": ["events"]}
    assert len(written["versions"]["code"]) == 12
    assert written["seconds"]["session"] == 0
    assert json.loads(Path(layout.verdict(DAY, "ingest_landing", "queries")).read_text())["passed"]


def test_a_refused_write_leaves_the_old_rows_and_is_no_error(arguments, layout):
    with open_stage("ingest_landing", arguments()) as run:
        run.commit(QUERIES, queries(DAY, ["mug"]), verdict())
    with open_stage("ingest_landing", arguments()) as run:
        assert not run.commit(QUERIES, queries(DAY, ["pen"]), verdict(passed=False))
    assert words(layout) == ["mug"]
    assert report(layout)["status"] == "refused"
    text = Path(layout.verdict(DAY, "ingest_landing", "queries")).read_text()
    assert not Verdict.from_json(text).passed


def test_a_warning_does_not_stop_the_run(arguments, layout):
    with open_stage("ingest_landing", arguments()) as run:
        failed = verdict(passed=False, severity="warn")
        assert run.commit(QUERIES, queries(DAY, ["mug"]), failed)
    rows = read_arrow(layout, QUALITY_RESULTS).to_pylist()
    assert [(row["check_name"], row["severity"], row["passed"]) for row in rows] == [
        ("rows_counted", "warn", False)
    ]


def test_several_datasets_are_committed_together_or_not_at_all(arguments, layout):
    outputs = [
        (QUERIES, queries(DAY, ["mug"]), {DAY: verdict()}),
        (INTERACTIONS, interactions(DAY), {DAY: verdict("interactions", passed=False)}),
    ]
    with open_stage("ingest_landing", arguments()) as run:
        assert run.commit_days(outputs) == ()
    assert words(layout) == []
    assert report(layout)["status"] == "refused"


def test_the_rows_of_a_second_run_replace_those_of_the_first(arguments, layout):
    for _ in range(2):
        with open_stage("ingest_landing", arguments()) as run:
            run.commit(QUERIES, queries(DAY, ["mug"]), verdict())
            metrics = [{"model": "all", "metric": "rows", "value": 1.0, "support": 1}]
            write_metrics(layout, DAY, run.name, metrics)
    assert words(layout) == ["mug"]
    for dataset in (QUALITY_RESULTS, STAGE_REPORTS, METRICS):
        assert read_arrow(layout, dataset).num_rows == 1
    measured = read_arrow(layout, METRICS).to_pylist()[0]
    assert (measured["stage"], measured["cutoff"], measured["segment"]) == (
        "ingest_landing",
        None,
        "all",
    )


def test_a_failed_job_still_reports(arguments, layout):
    with (
        pytest.raises(ZeroDivisionError),
        open_stage("ingest_landing", arguments(run_id="r7")) as run,
    ):
        run.report.note("result", 1 / 0)
    written = report(layout)
    assert (written["status"], written["run_id"]) == ("failed", "r7")
    assert "division" in written["notes"]["error"]
    assert read_arrow(layout, STAGE_REPORTS)["status"].to_pylist() == ["failed"]


def test_a_home_without_tables_hides_no_data_error(settings_file, caplog):
    given = Namespace(day=DAY, days=(DAY,), settings=str(settings_file), run_id="r")
    with (
        pytest.raises(DataError, match="embed_texts has no output"),
        open_stage("plan_day", given) as run,
    ):
        run.record(verdict())
        run.earlier_report("embed_texts")
    assert "a table does not exist" in caplog.text
    assert report(run.layout, "plan_day")["status"] == "failed"


def test_records_that_cannot_be_written_fail_a_successful_run(settings_file):
    given = Namespace(day=DAY, days=(DAY,), settings=str(settings_file), run_id="r")
    with (
        pytest.raises(InfrastructureError, match="a table does not exist"),
        open_stage("plan_day", given),
    ):
        pass


def test_a_range_that_breaks_off_between_two_tables_leaves_its_days_unaccepted(
    arguments, layout, monkeypatch
):
    replace = stage_module.replace_partition
    committed = []

    def break_off(frame, layout, dataset, partition):
        if committed:
            raise OSError("the machine went away")
        committed.append(dataset)
        replace(frame, layout, dataset, partition)

    outputs = [
        (INTERACTIONS, interactions(DAY), {DAY: verdict("interactions")}),
        (QUERIES, queries(DAY, ["mug"]), {DAY: verdict()}),
    ]
    monkeypatch.setattr(stage_module, "replace_partition", break_off)
    with (
        pytest.raises(OSError, match="went away"),
        open_stage("ingest_landing", arguments()) as run,
    ):
        run.commit_days(outputs)
    assert (committed, words(layout)) == ([QUERIES], ["mug"])
    assert newest_accepted_day(layout, DAY + timedelta(days=1)) is None

    monkeypatch.setattr(stage_module, "replace_partition", replace)
    with open_stage("ingest_landing", arguments()) as run:
        assert run.commit_days(outputs) == (DAY,)
    assert newest_accepted_day(layout, DAY + timedelta(days=1)) == DAY


def test_a_closed_day_states_its_reason(arguments, layout):
    with open_stage("ingest_landing", arguments()) as run:
        run.close("no trade on Saturdays")
    assert report(layout)["status"] == "closed"
    assert report(layout)["notes"]["reason"] == "no trade on Saturdays"


def test_a_second_run_of_the_same_day_is_locked_out(arguments, layout, monkeypatch):
    monkeypatch.setattr(locks, "STAGE_WAIT_SECONDS", 0.1)
    with (
        open_stage("ingest_landing", arguments()),
        pytest.raises(InfrastructureError, match="another run holds the lock"),
        open_stage("ingest_landing", arguments()),
    ):
        pass


def test_another_day_and_another_pass_run_at_the_same_time(arguments, layout):
    later = DAY + timedelta(days=1)
    with (
        open_stage("train_stars", arguments()),
        open_stage("train_stars", arguments(), stage="train_stars.update") as update,
        open_stage("train_stars", arguments(day=later)),
    ):
        assert update.name == "train_stars.update"


def test_an_attempt_appears_when_it_is_sealed(arguments, layout):
    for number in ("1", "2"):
        with open_stage("train_dssm", arguments()) as run:
            folder = run.new_attempt()
            (folder / "weights").write_text("w")
            assert folder.name == f"{number}.tmp"
            assert run.seal_attempt() == folder.with_name(number)
    artifact = report(layout, "train_dssm")["artifact"]
    assert artifact == f"{layout.attempts(DAY, 'train_dssm')}/2"
    assert Path(artifact, "weights").read_text() == "w"


def test_an_unfinished_attempt_is_never_reused(arguments, layout):
    with open_stage("train_dssm", arguments()) as run:
        run.new_attempt()
    with open_stage("train_dssm", arguments()) as run:
        assert run.new_attempt().name == "2.tmp"


def test_another_stages_report_is_read_only_when_it_committed(arguments, layout):
    with open_stage("plan_day", arguments()) as run:
        run.report.note("kind", "ordinary")
    with open_stage("build_histories", arguments()) as run:
        assert run.earlier_report("plan_day").notes["kind"] == "ordinary"
        with pytest.raises(DataError, match="train_dssm has no output"):
            run.earlier_report("train_dssm")
    with open_stage("plan_day", arguments()) as run:
        run.refuse()
    with (
        open_stage("build_histories", arguments()) as run,
        pytest.raises(DataError, match="status refused"),
    ):
        run.earlier_report("plan_day")


def test_gaps_are_the_days_before_that_are_neither_accepted_nor_closed(arguments, layout):
    days = [DAY - timedelta(days=back) for back in range(5)]
    accept(layout, days[4])
    write_marker(layout, Marker(day=days[2], calendar="closed", reason="holiday"))
    with open_stage("build_histories", arguments()) as run:
        assert run.gap_days == (days[3], days[1])
        assert require_history(layout, DAY) == days[4]
    assert report(layout, "build_histories")["gaps"] == [str(days[3]), str(days[1])]


def test_a_gap_is_named_by_every_day_whose_window_contains_it(arguments, layout):
    first, gap = DAY - timedelta(days=40), DAY - timedelta(days=2)
    accept(layout, *(first + timedelta(days=offset) for offset in range(42)))
    for missing in (gap, DAY - timedelta(days=28), DAY - timedelta(days=29)):
        open_table(layout, INTERACTIONS).delete(f"day = '{missing}'")
    for back in (gap + timedelta(days=1), DAY, DAY + timedelta(days=1)):
        with open_stage("build_histories", arguments(day=back)) as run:
            assert gap in run.gap_days
    assert gap_days(layout, DAY) == (DAY - timedelta(days=28), gap)
    assert gap_days(layout, first) == ()
    assert gap_days(layout, first + timedelta(days=1)) == ()


def test_without_history_the_error_says_how_to_ingest_it(arguments, layout):
    with open_stage("build_histories", arguments()) as run:
        assert run.gap_days == ()
        with pytest.raises(DataError, match="--from FIRST --to 2026-08-19"):
            require_history(layout, DAY)


@pytest.mark.spark
def test_a_range_is_written_in_one_pass_without_its_rejected_days(spark, arguments, layout):
    days = [DAY + timedelta(days=offset) for offset in range(3)]
    rows = pa.concat_tables([queries(day, [f"word{day.day}"]) for day in days])
    verdicts = {day: verdict(passed=day != days[1]) for day in days}
    with open_stage("ingest_landing", arguments(days=tuple(days))) as run:
        frame = run.persist(run.spark().createDataFrame(rows))
        assert run.commit_days([(QUERIES, frame, verdicts)]) == (days[0], days[2])
    assert words(layout) == ["word20", "word22"]
    assert [report(layout, day=day)["status"] for day in days] == [
        "committed",
        "refused",
        "committed",
    ]
    assert read_arrow(layout, QUALITY_RESULTS)["passed"].to_pylist().count(False) == 1
    assert spark.sql("SELECT 1").count() == 1  # a session the stage did not open stays open
