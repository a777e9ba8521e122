"""Spark session with Delta, configured by the settings."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pyspark.sql import SparkSession

from grove.runtime.java import delta_jars, require_java
from grove.settings import Settings
from grove.settings.sections import SparkSettings

MOST_DRIVER_GIB = 8
"""Largest default of the local driver memory in GiB; a setting can exceed it."""

DELTA = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
EVERYWHERE = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "WARN",
    # The default retries a job with too few slots for ten minutes before it fails.
    "spark.scheduler.barrier.maxConcurrentTasksCheck.interval": "5s",
    "spark.scheduler.barrier.maxConcurrentTasksCheck.maxFailures": "6",
}
ON_ONE_MACHINE = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    # Spark's and Delta's defaults are for clusters: 50 tasks to read a table's log, 10,000 to
    # list a folder.
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
}


def open_session(name: str, settings: Settings) -> SparkSession:
    """Open the session of a job, or return the active session of this process.

    Under `spark-submit` the JVM is already running: driver memory and jars are then those of its
    command line, and the rest is set here.

    Args:
        name: name of the application, `grove.<job>`.
        settings: master, sizes and further Spark settings.

    Raises:
        InfrastructureError: there is no Java, or Delta's jars are missing.
    """
    running = SparkSession.getActiveSession()
    if running is not None:
        return running
    require_java()
    # Workers would otherwise run the first `python3` on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ["PYTHONPATH"] = import_path()
    if is_local(settings.spark):
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.appName(name).master(settings.spark.master)
    for key, value in session_conf(settings).items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def import_path() -> str:
    """`PYTHONPATH` with which Spark and training workers on this machine find the project."""
    folder = str(Path(__file__).resolve().parents[2])
    known = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    return os.pathsep.join(known if folder in known else [folder, *known])


def session_conf(settings: Settings) -> dict[str, str]:
    """Spark settings of an environment; its `conf` overrides the others."""
    spark = settings.spark
    warehouse = (
        f"{settings.home.rstrip('/')}/staging/warehouse"
        if "://" in settings.home
        else str(Path(settings.home).absolute() / "staging" / "warehouse")
    )
    conf = {**DELTA, **EVERYWHERE, "spark.sql.warehouse.dir": warehouse}
    conf["spark.jars"] = ",".join(delta_jars())
    if is_local(spark):
        conf |= ON_ONE_MACHINE
        conf["spark.executorEnv.PYTHONPATH"] = import_path()
        # Under spark-submit the JVM is already running, with the memory of its command line.
        if "PYSPARK_GATEWAY_PORT" not in os.environ:
            conf["spark.driver.memory"] = f"{driver_memory_gib(spark)}g"
    if spark.shuffle_partitions is not None:
        conf["spark.sql.shuffle.partitions"] = str(spark.shuffle_partitions)
    return conf | spark.conf


def driver_memory_gib(spark: SparkSettings) -> int:
    """Memory of the driver in GiB: the setting, or a quarter of the machine's, 1 to 8."""
    if spark.driver_memory_gib is not None:
        return spark.driver_memory_gib
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(MOST_DRIVER_GIB, machine // 4 // 1024**3))


def is_local(spark: SparkSettings) -> bool:
    """Whether driver and executors share one machine."""
    return spark.master.startswith("local")
