"""Use every part of Spark that a day uses, so that `class_archive` can archive the classes.

Reads   nothing
Writes  a Delta table in a temporary folder
Fails   where Spark, Delta or the disk does

    spark-submit --jars <the two Delta jars> infra/local/rehearsal.py
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

ROWS = 1_000


def open_session() -> SparkSession:
    """A session with Delta as jobs open it, without the project's own code."""
    builder = SparkSession.builder.appName("grove.rehearsal")
    settings = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
        "spark.ui.enabled": "false",
    }
    return builder.config(map=settings).getOrCreate()


def read_lines(spark: SparkSession, folder: str) -> DataFrame:
    """JSON lines, read as text and parsed, with file name and row number."""
    events = ({"id": f"e{row}", "kind": row % 3, "price": row / 7} for row in range(ROWS))
    Path(folder, "lines.jsonl").write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    parsed = F.from_json("value", "id string, kind int, price double").alias("event")
    text = spark.read.text(f"{folder}/lines.jsonl").select(
        F.col("_metadata.file_name").alias("file"),
        F.monotonically_increasing_id().alias("row"),
        F.to_date(F.lit("2026-01-01")).alias("day"),
        parsed,
    )
    return text.select("file", "row", "day", "event.*")


def rehearse(spark: SparkSession, folder: str) -> None:
    """Read, persist, count, join, write, replace, read back, and pass rows to Python."""
    rows = read_lines(spark, folder).persist()
    often = rows.groupBy(F.xxhash64("id").alias("hash")).count().where("count > 1")
    fine = rows.join(F.broadcast(often), F.xxhash64("id") == F.col("hash"), "left_anti")
    table = f"{folder}/table"
    fine.write.format("delta").partitionBy("day").save(table)
    replaced = fine.repartition(1).sortWithinPartitions("id").write.format("delta")
    replaced.mode("overwrite").option("replaceWhere", "day = '2026-01-01'").save(table)
    found = spark.read.format("delta").load(table).where("day = '2026-01-01'")
    per_kind = found.groupBy("kind").agg(
        F.sort_array(F.collect_list(F.struct("price", "id"))).alias("events"),
        F.max(F.struct("row", "file")).alias("newest"),
    )
    per_kind.orderBy("kind").toArrow()
    found.select("id").mapInArrow(lambda batches: batches, "id string").collect()
    rows.unpersist()


if __name__ == "__main__":
    session = open_session()
    with tempfile.TemporaryDirectory(prefix="grove-rehearsal-") as scratch:
        rehearse(session, scratch)
    session.stop()
