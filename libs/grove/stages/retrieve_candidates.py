"""The updated generator's list of every user, in Spark workers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql.functions import array_distinct, col, collect_set, lit, size

from grove.contracts import CheckResult
from grove.datasets import INTERACTIONS, USER_CANDIDATES, Layout
from grove.quality.invariants import one_row_per_user
from grove.runtime.stage_run import StageRun
from grove.runtime.tables import read_spark
from grove.settings import Settings
from grove.stages.generator import read_codes, require_same_trees, write_codes
from grove.stages.handoffs import read_trees, read_weights
from grove.stages.model_inputs import (
    day_item_table,
    histories_through,
    items_as_of,
    product_ids,
    write_item_table,
)
from grove.systems.treebridge.candidates import SEEN, CandidateSearch, candidate_batches

CANDIDATE_SCHEMA = (
    "user_id string, item_ids array<string>, scores array<float>, model_version string"
)


def retrieve_candidates(run: StageRun) -> None:
    """Search for the histories that include the day with the weights trained on it.

    Raises:
        DataError: the model was trained on other trees than the day's.
    """
    layout, day, source = run.layout, run.day, run.settings.source
    model = read_weights(layout, day, "treebridge", "update").folder
    require_same_trees(model, read_trees(layout, day))
    histories = histories_through(run.spark(), layout, day)
    events = read_spark(run.spark(), layout, INTERACTIONS).where(col("day") <= day)
    # Nothing is excluded in a shop whose users buy again.
    seen = seen_items(events, () if source.keep_seen_items else source.positive_events)
    search = write_search(run.staging, layout, day, model=model, settings=run.settings)
    found = search_users(histories, seen, search, tasks=run.settings.spark.embed_partitions)
    candidates = run.persist(found.withColumn("day", lit(day)))
    users, rows = histories.count(), candidates.count()
    checks = [
        # The contract checks that no user occurs twice.
        one_row_per_user("every_user_searched", rows=rows, users=users),
        items_distinct(candidates),
        run.check_gaps(),
    ]
    if source.one_variant_per_product:
        checks.append(products_known(layout, day))
    verdict = run.validate(USER_CANDIDATES, candidates, checks)
    run.report.rows(in_=users, out=rows)
    run.commit(USER_CANDIDATES, candidates, verdict)
    run.clear_staging()


def search_users(
    histories: DataFrame, seen: DataFrame, search: CandidateSearch, *, tasks: int
) -> DataFrame:
    """Search both trees for every user.

    Stock and regions are not looked at: they change by the hour, and are filtered when a list is
    shown.

    Args:
        histories: one row per user.
        seen: items by user that the user's list must not hold; see `seen_items`.
        search: what the workers search with.
        tasks: Spark tasks that search.

    Returns:
        user_id, item_ids, scores and model_version.
    """
    with_seen = histories.join(seen, "user_id", "left")
    # In order, so that a second run has the same users in a batch, and the same last bits.
    ordered = with_seen.repartition(tasks, "user_id").sortWithinPartitions("user_id")
    return ordered.mapInArrow(candidate_batches(search), CANDIDATE_SCHEMA)


def seen_items(events: DataFrame, event_types: Sequence[str]) -> DataFrame:
    """user_id and `SEEN`: items of a user's events of some types; no row for a user without."""
    positives = events.where(col("event_type").isin(*event_types))
    return positives.groupBy("user_id").agg(collect_set("item_id").alias(SEEN))


def items_distinct(candidates: DataFrame) -> CheckResult:
    """Check that no list holds an item twice."""
    distinct = size(array_distinct("item_ids"))
    repeated = candidates.where(distinct < size("item_ids")).count()
    return CheckResult(
        name="items_distinct",
        severity="fail",
        passed=repeated == 0,
        expected="no item twice in a list",
        observed=f"{repeated} lists with one",
        unexpected_rows=repeated,
    )


def products_known(layout: Layout, day: date) -> CheckResult:
    """Check that a shop whose lists hold one variant per product has products."""
    items = items_as_of(layout, day)
    named = int(pc.sum(pc.not_equal(items["product_id"], "")).as_py() or 0)
    return CheckResult(
        name="products_known",
        severity="warn",
        passed=named > 0,
        expected="product_id of some items, as source.one_variant_per_product is set; land the"
        " column with the catalogue, or unset it",
        observed=f"{named} of {len(items)} items with one",
        column="product_id",
    )


def write_search(
    folder: Path, layout: Layout, day: date, *, model: Path, settings: Settings
) -> CandidateSearch:
    """Write the day's items and codes where every worker can read them.

    Args:
        folder: to write to; made when absent.
        layout: paths of the home.
        day: D.
        model: folder of the generator.
        settings: search of the trees, length of the lists, and whether they hold one variant of
            each product.
    """
    codes, search = write_codes(folder, read_codes(layout, day)), settings.treebridge
    items = day_item_table(layout, day)
    if settings.source.one_variant_per_product:
        items = items.append_column("product_id", product_ids(layout, day, items["item_id"]))
    return CandidateSearch(
        model=str(model),
        item_table=str(write_item_table(folder, items)),
        codes=tuple((tree, str(file)) for tree, file in codes.items()),
        beam=search.beam,
        fusion=search.fusion,
        new_item_bonus=search.new_item_bonus,
        k=search.candidates,
        one_variant_per_product=settings.source.one_variant_per_product,
    )
