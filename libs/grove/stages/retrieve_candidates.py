"""Users' lists in Spark workers: what they read, what they run, what is checked."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import DataFrame
from pyspark.sql.functions import array_distinct, col, collect_set, lit, size

from grove.contracts import CheckResult, Verdict, load_contract
from grove.datasets import INTERACTIONS, TREES, USER_CANDIDATES
from grove.quality import validate_dataset
from grove.quality.invariants import no_gap, one_row_per_user
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_spark
from grove.stages.model_inputs import inputs_folder, write_item_table
from grove.stages.train_treebridge import day_codes, require_day_trees
from grove.systems.treebridge.candidates import SEEN, CandidateSearch, candidate_batches
from grove.systems.treebridge.train import codes_file

CANDIDATE_SCHEMA = (
    "user_id string, item_ids array<string>, scores array<float>, model_version string"
)


def search_users(stage: StageRun, histories: DataFrame, model: str) -> DataFrame:
    """Search both trees for every user, in as many tasks as the settings say.

    What a user has had is left out, unless the shop's users buy again. Stock and regions are not
    looked at: they change by the hour, and whoever shows a list looks then.

    Args:
        stage: of the day.
        histories: one row per user.
        model: folder of a trained TreeBridge, readable by every worker.

    Returns:
        Rows of `user_candidates`.

    Raises:
        DataError: the model was trained on other trees than the day's.
    """
    require_day_trees(stage, Path(model))
    worker = candidate_batches(_write_search(stage, model))
    asked = histories.join(_seen_items(stage), "user_id", "left")
    # In order, so that a second run has the same users in a batch, and the same last bits.
    ordered = asked.repartition(
        stage.settings.spark.embed_partitions, "user_id"
    ).sortWithinPartitions("user_id")
    return ordered.mapInArrow(worker, CANDIDATE_SCHEMA).withColumn("day", lit(stage.day))


def validate_candidates(
    stage: StageRun, candidates: DataFrame, *, users: int, rows: int
) -> Verdict:
    """Contract of `user_candidates`, and what each list promises.

    Args:
        stage: of the day.
        candidates: rows, kept aside.
        users: histories read.
        rows: rows in `candidates`; that no user is there twice is the contract's check.
    """
    distinct_items = size(array_distinct("item_ids"))
    repeated = candidates.where(distinct_items < size("item_ids")).count()
    complete = one_row_per_user("every_user_searched", rows=rows, users=users)
    distinct = CheckResult(
        name="items_distinct",
        severity="fail",
        passed=repeated == 0,
        expected="no item twice in a list",
        observed=f"{repeated} lists with one",
        unexpected_rows=repeated,
    )
    gap = no_gap(stage.gap_days, fail=stage.settings.ingest.fail_on_gap)
    return validate_dataset(
        load_contract(USER_CANDIDATES),
        candidates,
        run_name=f"{stage.day} {stage.name}",
        docs_folder=stage.docs_folder,
        invariants=(complete, distinct, gap),
    )


def _write_search(stage: StageRun, model: str) -> CandidateSearch:
    """Put the day's items and codes where every worker can read them."""
    files = {tree: inputs_folder(stage) / codes_file(tree) for tree in TREES}
    for tree, table in day_codes(stage).items():
        pq.write_table(table, files[tree])
    settings = stage.settings.treebridge
    return CandidateSearch(
        model=model,
        item_table=str(write_item_table(stage)),
        codes=tuple((tree, str(file)) for tree, file in files.items()),
        beam=settings.beam,
        fusion=settings.fusion,
        new_item_bonus=settings.new_item_bonus,
        k=settings.candidates,
    )


def _seen_items(stage: StageRun) -> DataFrame:
    """user_id and `SEEN`: what lists must not hold; no row for a user who may get everything."""
    source = stage.settings.source
    events = read_spark(stage.spark(), stage.layout, INTERACTIONS).where(col("day") <= stage.day)
    kinds = () if source.keep_seen_items else source.positive_events
    positives = events.where(col("event_type").isin(*kinds))
    return positives.groupBy("user_id").agg(collect_set("item_id").alias(SEEN))
