"""A Spark session that is opened at its first use, and closed by the holder that opened it."""

from __future__ import annotations

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession

from grove.runtime.clock import Stopwatch
from grove.runtime.spark_session import open_session
from grove.settings import Settings


class SessionHolder:
    """Holds the session of one job and the frames it keeps.

    Args:
        name: name of the Spark application.
        settings: master and sizes.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.seconds = 0.0
        """Seconds it took to open the session."""
        self._name = name
        self._settings = settings
        self._spark: SparkSession | None = None
        self._opened_here = False
        self._kept: list[DataFrame] = []

    def open(self) -> SparkSession:
        """The session; opened at the first call, unless the process has one already."""
        if self._spark is None:
            watch = Stopwatch()
            self._opened_here = SparkSession.getActiveSession() is None
            self._spark = open_session(self._name, self._settings)
            self.seconds = watch.seconds()
        return self._spark

    def keep(self, frame: DataFrame) -> DataFrame:
        """Keep a frame's rows in memory, and on disk where that is short, until `close`."""
        kept = frame.persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(kept)
        return kept

    def close(self) -> None:
        """Release the persisted frames, and stop the session if this holder opened it."""
        for frame in self._kept:
            frame.unpersist()
        self._kept.clear()
        if self._spark is not None and self._opened_here:
            self._spark.stop()
        self._spark = None
