"""Proof that Delta 4.4.0 works on Spark 4.1.4 with two jars: every operation the project needs."""

from __future__ import annotations

from pathlib import Path

import pyspark
import pytest
from delta.tables import DeltaTable
from deltalake import DeltaTable as TableWithoutSpark
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from grove.runtime.java import DELTA_JARS, delta_jars

pytestmark = pytest.mark.spark

ROWS = [("2026-08-20", "a", 1), ("2026-08-20", "b", 2), ("2026-08-21", "a", 3)]


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> str:
    path = str(tmp_path / "table")
    frame = spark.createDataFrame(ROWS, "day string, item string, clicks int")
    frame.write.format("delta").partitionBy("day").save(path)
    return path


def rows(spark: SparkSession, path: str) -> list[tuple[str, str, int]]:
    return sorted(tuple(row) for row in spark.read.format("delta").load(path).collect())


def test_versions_are_the_proven_ones():
    assert pyspark.__version__ == "4.1.4"
    assert [Path(jar).name for jar in delta_jars()] == list(DELTA_JARS)


def test_create_and_read_back_with_and_without_spark(spark, table):
    assert rows(spark, table) == ROWS
    plain = TableWithoutSpark(table).to_pyarrow_table().sort_by([("day", "ascending")])
    assert sorted(tuple(row.values()) for row in plain.to_pylist()) == ROWS


def test_replace_where_replaces_one_day(spark, table):
    day = spark.createDataFrame([("2026-08-20", "c", 9)], "day string, item string, clicks int")
    writer = day.write.format("delta").mode("overwrite")
    writer.option("replaceWhere", "day = '2026-08-20'").save(table)
    assert rows(spark, table) == [("2026-08-20", "c", 9), ("2026-08-21", "a", 3)]


def test_replace_where_rejects_rows_of_another_day(spark, table):
    stray = spark.createDataFrame([("2026-08-22", "c", 9)], "day string, item string, clicks int")
    writer = stray.write.format("delta").mode("overwrite")
    with pytest.raises(PySparkException):
        writer.option("replaceWhere", "day = '2026-08-20'").save(table)
    assert rows(spark, table) == ROWS


def test_merge_updates_and_inserts(spark, table):
    changes = spark.createDataFrame(
        [("2026-08-21", "a", 30), ("2026-08-21", "z", 1)], "day string, item string, clicks int"
    )
    (
        DeltaTable.forPath(spark, table)
        .alias("old")
        .merge(changes.alias("new"), "old.day = new.day AND old.item = new.item")
        .whenMatchedUpdateAll()
        .whenNotMatchedInsertAll()
        .execute()
    )
    assert rows(spark, table) == [*ROWS[:2], ("2026-08-21", "a", 30), ("2026-08-21", "z", 1)]


def test_check_constraint_is_enforced(spark, table):
    spark.sql(f"ALTER TABLE delta.`{table}` ADD CONSTRAINT clicks_counted CHECK (clicks >= 0)")
    bad = spark.createDataFrame([("2026-08-23", "a", -1)], "day string, item string, clicks int")
    with pytest.raises(Py4JJavaError, match="clicks_counted"):
        bad.write.format("delta").mode("append").save(table)
    assert rows(spark, table) == ROWS


def test_optimize_and_vacuum_leave_the_rows(spark, table):
    more = spark.createDataFrame([("2026-08-20", "d", 4)], "day string, item string, clicks int")
    more.write.format("delta").mode("append").save(table)
    delta = DeltaTable.forPath(spark, table)
    compacted = delta.optimize().executeCompaction().select("metrics.*").first()
    assert compacted["numFilesRemoved"] > compacted["numFilesAdded"]
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")
    delta.vacuum(0)
    spark.conf.unset("spark.databricks.delta.retentionDurationCheck.enabled")
    assert rows(spark, table) == sorted([*ROWS, ("2026-08-20", "d", 4)])
    operations = {row["operation"] for row in delta.history().collect()}
    assert {"WRITE", "OPTIMIZE", "VACUUM END"} <= operations
