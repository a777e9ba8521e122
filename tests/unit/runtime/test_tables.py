"""Delta tables with and without Spark: whole partitions, the same rows on every run, one commit."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.jobs.shop_day import land_histories

from grove.contracts import arrow_schema, load_contract
from grove.datasets import (
    DATASETS,
    HISTORIES,
    ITEMS,
    METRICS,
    STAGE_REPORTS,
    TEXT_EMBEDDINGS,
    Layout,
)
from grove.errors import BugError, InfrastructureError
from grove.runtime.tables import (
    create_tables,
    insert_missing,
    newest_rows_as_of,
    open_table,
    partition_days,
    partition_files,
    read_arrow,
    read_spark,
    replace_partition,
    table_versions,
)

DAY = date(2026, 8, 20)


def metric_rows(day, stage, values):
    rows = [
        {
            "day": day,
            "stage": stage,
            "model": "dssm",
            "metric": f"HR{index}",
            "cutoff": 10,
            "segment": "all",
            "value": value,
            "support": 5,
        }
        for index, value in enumerate(values)
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(METRICS)))


def item_rows(day, prices):
    rows = [
        {
            "day": day,
            "item_id": item,
            "title": f"title {item}",
            "category_path": ["A", "B"],
            "tags": [],
            "price": price,
            "regions": ["north"],
            "first_seen": DAY,
        }
        for item, price in prices.items()
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(ITEMS)))


def text_rows(hashes, encoder="minilm"):
    rows = [{"encoder": encoder, "text_hash": one, "vector": [0.6, 0.8]} for one in hashes]
    return pa.Table.from_pylist(rows, schema=arrow_schema(load_contract(TEXT_EMBEDDINGS)))


def prices(layout):
    rows = read_arrow(layout, ITEMS).to_pylist()
    return {(row["day"], row["item_id"]): row["price"] for row in rows}


def test_every_dataset_has_a_table_and_creating_again_changes_nothing(layout):
    before = table_versions(layout)
    create_tables(layout)
    assert set(before) == set(DATASETS)
    assert table_versions(layout) == before


def test_reading_a_table_that_was_never_created_is_an_error(layout, tmp_path):
    from grove.datasets import Layout

    with pytest.raises(InfrastructureError, match="create_tables"):
        read_arrow(Layout(str(tmp_path / "elsewhere")), METRICS)


def test_arrow_replaces_only_its_partition(layout):
    replace_partition(
        metric_rows(DAY, "a", [1.0, 2.0]), layout, METRICS, {"day": DAY, "stage": "a"}
    )
    replace_partition(metric_rows(DAY, "b", [3.0]), layout, METRICS, {"day": DAY, "stage": "b"})
    replace_partition(metric_rows(DAY, "a", [9.0]), layout, METRICS, {"day": DAY, "stage": "a"})
    assert read_arrow(layout, METRICS, day=DAY, stage="a")["value"].to_pylist() == [9.0]
    assert read_arrow(layout, METRICS, day=DAY, stage=["b"])["value"].to_pylist() == [3.0]


def test_an_empty_frame_empties_its_partition(layout):
    partition = {"day": DAY, "stage": "a"}
    replace_partition(metric_rows(DAY, "a", [1.0]), layout, METRICS, partition)
    replace_partition(metric_rows(DAY, "a", []), layout, METRICS, partition)
    assert read_arrow(layout, METRICS).num_rows == 0


def test_a_list_of_days_replaces_the_range(layout):
    later = DAY + timedelta(days=1)
    replace_partition(item_rows(DAY, {"a": 1.0}), layout, ITEMS, {"day": DAY})
    replace_partition(item_rows(later, {"b": 2.0}), layout, ITEMS, {"day": [DAY, later]})
    assert prices(layout) == {(later, "b"): 2.0}
    assert partition_days(layout, ITEMS) == [later]


def test_rows_of_another_partition_are_rejected_and_the_old_rows_stay(layout):
    replace_partition(item_rows(DAY, {"a": 1.0}), layout, ITEMS, {"day": DAY})
    stray = item_rows(DAY + timedelta(days=1), {"b": 2.0})
    with pytest.raises(Exception, match="validation check"):
        replace_partition(stray, layout, ITEMS, {"day": DAY})
    assert prices(layout) == {(DAY, "a"): 1.0}


def test_a_partition_must_be_named_in_full(layout):
    with pytest.raises(BugError, match="day, stage"):
        replace_partition(metric_rows(DAY, "a", [1.0]), layout, METRICS, {"day": DAY})


def test_missing_and_unknown_columns_are_named(layout):
    table = item_rows(DAY, {"a": 1.0}).drop_columns(["title"])
    table = table.append_column("colour", pa.array(["red"]))
    with pytest.raises(BugError, match=r"missing: \['title'\]; unknown: \['colour'\]"):
        replace_partition(table, layout, ITEMS, {"day": DAY})


def test_values_that_do_not_fit_their_type_are_rejected(layout):
    table = item_rows(DAY, {"a": 1.0})
    table = table.set_column(table.column_names.index("price"), "price", pa.array(["dear"]))
    with pytest.raises(BugError, match="do not fit their contract"):
        replace_partition(table, layout, ITEMS, {"day": DAY})


def test_a_missing_value_in_a_required_column_is_rejected(layout):
    table = item_rows(DAY, {"a": 1.0})
    table = table.set_column(
        table.column_names.index("title"), "title", pa.array([None], pa.string())
    )
    with pytest.raises(BugError, match="do not fit their contract"):
        replace_partition(table, layout, ITEMS, {"day": DAY})
    assert prices(layout) == {}


def test_equal_rows_give_equal_files_in_any_order(layout):
    partition = {"day": DAY}
    table = item_rows(DAY, {"c": 3.0, "a": 1.0, "b": 2.0})
    replace_partition(table, layout, ITEMS, partition)
    first = read_arrow(layout, ITEMS)
    replace_partition(table.take([2, 0, 1]), layout, ITEMS, partition)
    assert read_arrow(layout, ITEMS).equals(first)
    assert first["item_id"].to_pylist() == ["a", "b", "c"]


def test_the_newest_version_up_to_a_day(layout):
    for offset, versions in enumerate(({"a": 1.0, "b": 2.0}, {"a": 5.0}, {"b": 9.0, "c": 3.0})):
        day = DAY + timedelta(days=offset)
        replace_partition(item_rows(day, versions), layout, ITEMS, {"day": day})
    second = newest_rows_as_of(layout, ITEMS, "item_id", DAY + timedelta(days=1))
    assert second.select(["item_id", "price"]).to_pydict() == {
        "item_id": ["a", "b"],
        "price": [5, 2],
    }
    third = newest_rows_as_of(layout, ITEMS, "item_id", DAY + timedelta(days=2))
    assert third["price"].to_pylist() == [5, 9, 3]
    assert newest_rows_as_of(layout, ITEMS, "item_id", DAY - timedelta(days=1)).num_rows == 0


def test_insert_missing_leaves_known_rows_untouched(layout):
    partition = {"encoder": "minilm"}
    insert_missing(text_rows(["a" * 64]), layout, TEXT_EMBEDDINGS, ("text_hash",), partition)
    insert_missing(
        text_rows(["a" * 64, "b" * 64]), layout, TEXT_EMBEDDINGS, ("text_hash",), partition
    )
    hashes = read_arrow(layout, TEXT_EMBEDDINGS)["text_hash"].to_pylist()
    assert sorted(hashes) == ["a" * 64, "b" * 64]


def test_insert_missing_commits_nothing_when_all_rows_are_known(layout):
    partition = {"encoder": "minilm"}
    insert_missing(text_rows(["a" * 64]), layout, TEXT_EMBEDDINGS, ("text_hash",), partition)
    version = open_table(layout, TEXT_EMBEDDINGS).version()
    insert_missing(text_rows(["a" * 64]), layout, TEXT_EMBEDDINGS, ("text_hash",), partition)
    assert open_table(layout, TEXT_EMBEDDINGS).version() == version


def report_rows(spark, day, runs):
    rows = [(day, "ingest_landing", run, "committed", 3, 2, 1, 0.5, 1.5, "{}") for run in runs]
    columns = [column.name for column in load_contract(STAGE_REPORTS).columns]
    return spark.createDataFrame(rows, columns)


@pytest.mark.spark
def test_spark_writes_what_arrow_reads(spark, layout):
    frame = spark.createDataFrame(item_rows(DAY, {"b": 2.0, "a": 1.0}))
    replace_partition(frame, layout, ITEMS, {"day": DAY})
    assert prices(layout) == {(DAY, "a"): 1.0, (DAY, "b"): 2.0}
    assert len(partition_files(layout, ITEMS, {"day": DAY})) == 1


@pytest.mark.spark
def test_a_second_spark_run_writes_the_same_rows_in_the_same_order(spark, layout):
    table = item_rows(DAY, {f"item{number}": 1.0 for number in range(50)})
    replace_partition(spark.createDataFrame(table), layout, ITEMS, {"day": DAY})
    first = read_arrow(layout, ITEMS)
    shuffled = table.take(list(reversed(range(50))))
    replace_partition(spark.createDataFrame(shuffled), layout, ITEMS, {"day": DAY})
    assert read_arrow(layout, ITEMS).equals(first)


@pytest.mark.spark
def test_spark_replaces_a_range_in_one_commit(spark, layout):
    later = DAY + timedelta(days=1)
    replace_partition(item_rows(later, {"old": 1.0}), layout, ITEMS, {"day": later})
    version = open_table(layout, ITEMS).version()
    rows = pa.concat_tables([item_rows(DAY, {"a": 1.0}), item_rows(later, {"b": 2.0})])
    replace_partition(spark.createDataFrame(rows), layout, ITEMS, {"day": [DAY, later]})
    assert open_table(layout, ITEMS).version() == version + 1
    assert prices(layout) == {(DAY, "a"): 1.0, (later, "b"): 2.0}
    assert len(partition_files(layout, ITEMS, {"day": [DAY, later]})) == 2


@pytest.mark.spark
def test_spark_casts_to_the_contract(spark, layout):
    frame = report_rows(spark, DAY, ["one"])
    partition = {"day": DAY, "stage": "ingest_landing"}
    replace_partition(frame, layout, STAGE_REPORTS, partition)
    table = read_arrow(layout, STAGE_REPORTS)
    assert table.schema.equals(arrow_schema(load_contract(STAGE_REPORTS)), check_metadata=False)


@pytest.mark.spark
def test_spark_names_missing_and_unknown_columns(spark, layout):
    frame = report_rows(spark, DAY, ["one"]).withColumnRenamed("run_id", "run")
    with pytest.raises(BugError, match=r"missing: \['run_id'\]; unknown: \['run'\]"):
        replace_partition(frame, layout, STAGE_REPORTS, {"day": DAY, "stage": "ingest_landing"})


@pytest.mark.spark
def test_spark_inserts_only_unseen_keys(spark, layout):
    partition = {"encoder": "minilm"}
    insert_missing(text_rows(["a" * 64]), layout, TEXT_EMBEDDINGS, ("text_hash",), partition)
    frame = spark.createDataFrame(text_rows(["a" * 64, "b" * 64]))
    insert_missing(frame, layout, TEXT_EMBEDDINGS, ("text_hash",), partition)
    found = read_spark(spark, layout, TEXT_EMBEDDINGS)
    assert sorted(row["text_hash"] for row in found.collect()) == ["a" * 64, "b" * 64]


def test_times_keep_their_zone_and_their_microseconds(layout):
    schema = arrow_schema(load_contract(ITEMS))
    assert not any(pa.types.is_timestamp(field.type) for field in schema)
    from grove.datasets import INTERACTIONS

    moment = datetime(2026, 8, 20, 8, 1, 2, 123456, tzinfo=UTC)
    row = {
        "day": DAY,
        "event_id": "e1",
        "event_type": "click",
        "user_id": "u1",
        "item_id": "i1",
        "event_time": moment,
    }
    table = pa.Table.from_pylist([row], schema=arrow_schema(load_contract(INTERACTIONS)))
    replace_partition(table, layout, INTERACTIONS, {"day": DAY})
    assert read_arrow(layout, INTERACTIONS)["event_time"].to_pylist() == [moment]


@pytest.mark.parametrize("name", ["a b", "é杯", "$HOME", "a'b", "a,b=c;d", "a&b+c@d", "(a)!~-"])
def test_a_home_may_have_any_letter_that_settings_allow(tmp_path, name):
    layout = Layout(str(tmp_path / name / "home"))
    create_tables(layout)
    land_histories(layout, DAY, users=3)
    assert read_arrow(layout, HISTORIES, day=DAY, cut="before").num_rows == 3
    files = partition_files(layout, HISTORIES, {"day": DAY, "cut": "before"})
    assert [pq.read_metadata(file).num_rows for file in files] == [3]
