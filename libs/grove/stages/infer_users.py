"""Two vectors of every user, by the updated STARS in Spark workers."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql.functions import lit

from grove.datasets import USER_EMBEDDINGS
from grove.quality.invariants import one_row_per_user
from grove.runtime.stage_run import StageRun
from grove.stages.handoffs import read_weights
from grove.stages.model_inputs import day_item_table, histories_through, write_item_table
from grove.systems.stars.encode import user_embedding_batches

EMBEDDING_SCHEMA = "user_id string, h_gen array<float>, h_next array<float>, model_version string"


def infer_users(run: StageRun) -> None:
    """Encode the histories that include the day with the weights that were trained on it."""
    model = read_weights(run.layout, run.day, "stars", "update").folder
    histories = histories_through(run.spark(), run.layout, run.day)
    items = write_item_table(run.staging, day_item_table(run.layout, run.day))
    encoded = embed_users(histories, model, items, tasks=run.settings.spark.embed_partitions)
    embeddings = run.persist(encoded.withColumn("day", lit(run.day)))
    users, rows = histories.count(), embeddings.count()
    # The contract checks that no user occurs twice.
    complete = one_row_per_user("every_user_encoded", rows=rows, users=users)
    verdict = run.validate(USER_EMBEDDINGS, embeddings, [complete, run.check_gaps()])
    run.report.rows(in_=users, out=rows)
    run.commit(USER_EMBEDDINGS, embeddings, verdict)
    run.clear_staging()


def embed_users(histories: DataFrame, model: Path, item_table: Path, *, tasks: int) -> DataFrame:
    """Encode histories; no rows pass through the driver.

    Args:
        histories: one row per user.
        model: folder of a trained STARS, readable by every worker.
        item_table: Parquet file, readable by every worker.
        tasks: Spark tasks that encode.

    Returns:
        user_id, h_gen, h_next and model_version.
    """
    worker = user_embedding_batches(str(model), str(item_table))
    return histories.repartition(tasks, "user_id").mapInArrow(worker, EMBEDDING_SCHEMA)
