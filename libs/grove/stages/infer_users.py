"""Users' vectors in Spark workers: what they read, what they run, what is checked."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql.functions import col, lit

from grove.contracts import Verdict, load_contract
from grove.datasets import HISTORIES, USER_EMBEDDINGS
from grove.quality import validate_dataset
from grove.quality.invariants import no_gap, one_row_per_user
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_spark
from grove.stages.model_inputs import write_item_table
from grove.systems.stars.encode import user_embedding_batches

EMBEDDING_SCHEMA = "user_id string, h_gen array<float>, h_next array<float>, model_version string"


def histories_through(stage: StageRun) -> DataFrame:
    """Histories of the stage's day that end with it."""
    histories = read_spark(stage.spark(), stage.layout, HISTORIES)
    return histories.where((col("day") == lit(stage.day)) & (col("cut") == "through"))


def embed_users(stage: StageRun, histories: DataFrame, model: str) -> DataFrame:
    """Encode histories in as many tasks as the settings say; nothing passes the driver.

    Args:
        stage: of the day.
        histories: one row per user.
        model: folder of a trained STARS, readable by every worker.

    Returns:
        Rows of `user_embeddings`.
    """
    worker = user_embedding_batches(model, str(write_item_table(stage)))
    spread = histories.repartition(stage.settings.spark.embed_partitions, "user_id")
    return spread.mapInArrow(worker, EMBEDDING_SCHEMA).withColumn("day", lit(stage.day))


def validate_embeddings(
    stage: StageRun, embeddings: DataFrame, *, users: int, rows: int
) -> Verdict:
    """Contract of `user_embeddings`, and one row per user with a history.

    Args:
        stage: of the day.
        embeddings: rows, kept aside.
        users: histories read.
        rows: rows in `embeddings`; that no user is there twice is the contract's check.
    """
    complete = one_row_per_user("every_user_encoded", rows=rows, users=users)
    return validate_dataset(
        load_contract(USER_EMBEDDINGS),
        embeddings,
        run_name=f"{stage.day} {stage.name}",
        docs_folder=stage.docs_folder,
        invariants=(complete, no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap)),
    )
