"""The session is small on one machine, and has Spark's defaults on a cluster."""

from __future__ import annotations

import sys

import pyarrow as pa
import pytest

from grove.datasets import FEEDS
from grove.runtime.spark_session import driver_memory_gib, open_session, session_conf
from grove.settings.load import parse_settings
from grove.settings.sections import SparkSettings


@pytest.fixture(autouse=True)
def jars(monkeypatch, tmp_path):
    monkeypatch.setattr("grove.runtime.spark_session.delta_jars", lambda: ("one.jar", "two.jar"))


def conf(**spark):
    return session_conf(parse_settings({"home": "/data/shop", "spark": spark}, where="test"))


def test_one_machine_gets_few_partitions_and_no_web_page():
    local = conf(master="local[2]")
    assert local["spark.sql.shuffle.partitions"] == "4"
    assert local["spark.databricks.delta.snapshotPartitions"] == "2"
    assert local["spark.ui.enabled"] == "false"
    assert local["spark.sql.session.timeZone"] == "UTC"
    assert local["spark.sql.warehouse.dir"] == "/data/shop/staging/warehouse"
    assert local["spark.jars"] == "one.jar,two.jar"


def test_a_cluster_keeps_its_own_sizes():
    cluster = conf(master="spark://shop:7077", shuffle_partitions=None)
    for key in ("spark.sql.shuffle.partitions", "spark.driver.memory", "spark.ui.enabled"):
        assert key not in cluster
    assert cluster["spark.sql.session.timeZone"] == "UTC"


def test_the_conf_of_an_environment_overrides_the_rest():
    assert conf(conf={"spark.ui.enabled": "true"})["spark.ui.enabled"] == "true"


def test_driver_memory_follows_the_machine_within_bounds():
    assert 1 <= driver_memory_gib(SparkSettings()) <= 8
    assert driver_memory_gib(SparkSettings(driver_memory_gib=3)) == 3


@pytest.mark.spark
def test_an_open_session_is_used_again(spark, settings):
    assert open_session("another", settings) is spark
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    assert spark.conf.get("spark.sql.execution.arrow.pyspark.enabled") == "true"


@pytest.mark.spark
def test_workers_run_the_drivers_python_and_find_the_project(spark):
    def versions(batches):
        from grove.datasets import FEEDS

        for _ in batches:
            yield pa.RecordBatch.from_pydict({"found": [sys.version, *FEEDS]})

    found = spark.range(1).mapInArrow(versions, "found string").collect()
    assert [row["found"] for row in found] == [sys.version, *FEEDS]
