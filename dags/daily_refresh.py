"""Turn one day of a shop's logs into a release that a recommender can serve.

Starts at midnight UTC and processes the day that has just ended. The run's partition key
is its day; nothing else decides which day it is.

    landing -> interactions, items, users, context, queries
            -> text_embeddings, histories -> item_vectors (dssm) -> codes (llm, cf)
            -> treebridge, stars -> metrics -> update -> user_embeddings, user_candidates
            -> index -> release

Up to `evaluate_models` no model has been trained on the day: the day is the test set.
The update pass then trains on the day, and its weights are published.

A run waits for the runs of earlier days, so days are processed in order. Every stage replaces
its own partition and publishing makes a new release, so any task can be cleared and run again.
Each stage checks its output before it commits; the `check_*` task after it shows the verdict.
If a check fails, the run stops, the old data stays, and the old release keeps serving. The
documentation of each task names its job, its module in `grove/stages` and its contract.

**On call.** A red `check_*` task is a data problem: read the table it logged, fix the source,
then clear the stage before it. A job with exit code 65 rejected its input and was not retried:
fix what it reports, then clear the task. A red `wait_for_landing` names the missing feed. A red
`require_day` means that the run was started without a day, or with a day that is not over. Any
other red task is a code or cluster problem, and two retries have failed already: read the
driver's lines in its log. If all tasks after `is_open` are skipped, the day was a closed day. To
serve an earlier release: `make rollback TO=<release>`. To run days again, in order:
`make backfill FROM= TO=`; a warning of a gate names days that were built before an earlier one.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.standard.operators.python import PythonOperator, ShortCircuitOperator
from airflow.sdk import DAG, TaskGroup, chain

from grove.datasets import INGESTED, SYSTEMS
from orchestration.days import is_open, require_day
from orchestration.deployment import deployment
from orchestration.house import every_midnight, house_rules, late_after, switch
from orchestration.sensors import EarlierDaysSensor, LandingSensor
from orchestration.stages import DAY, gate, stage, stage_with_gate

with DAG(
    dag_id="daily_refresh",
    doc_md=__doc__,
    schedule=every_midnight(),
    # More than one, or a later day that waits would keep an earlier one from starting.
    max_active_runs=16,
    dagrun_timeout=timedelta(hours=48),
    deadline=late_after(deployment().deadline_hours),
    params={
        "retrain": switch("Train from scratch and rebuild the trees, whatever the plan says."),
        "make_current": switch("Serve this release even if the served release is of a later day."),
    },
    tags=["grove", "recall", "tier-1"],
    **house_rules(),
):
    with TaskGroup("ingested", tooltip="Checks of the landed rows, one gate per table") as ingested:
        for dataset in INGESTED:
            gate(dataset.name, of="ingest_landing")
    with TaskGroup("texts", tooltip="Vectors of the texts that are new") as texts:
        stage_with_gate("embed_texts", "text_embeddings")
    with TaskGroup("histories", tooltip="Events of each user, oldest first") as histories:
        stage_with_gate("build_histories", "histories")
    candidates = {}
    for system in SYSTEMS:
        with TaskGroup(system.name, tooltip=system.title) as candidates[system.name]:
            stage_with_gate(system.job, system.output)
    with TaskGroup("trees", tooltip="Paths in the text (llm) and behaviour (cf) tree") as trees:
        stage_with_gate("build_trees", "codes")
    with TaskGroup("evaluation", tooltip="Metrics on a day without training on it") as evaluation:
        stage_with_gate("evaluate_models", "metrics")
    with TaskGroup("update", tooltip="A short training pass on the day itself") as update:
        for system in SYSTEMS:
            with TaskGroup(system.name):
                stage_with_gate(system.job, system.output, training_pass="update")
    with TaskGroup("users", tooltip="Two vectors and a candidate list for every user") as users:
        stage_with_gate("infer_users", "user_embeddings")
        stage_with_gate("retrieve_candidates", "user_candidates")
    with TaskGroup("index", tooltip="Nearest neighbour index of item vectors") as index:
        stage_with_gate("build_index", "index")
    with TaskGroup("release", tooltip="One folder, one manifest, one pointer") as release:
        make_current = "{{ '--make-current' if params.make_current else '' }}"
        stage_with_gate("publish_release", "release", arguments=[make_current])

    chain(
        PythonOperator(task_id="require_day", python_callable=require_day, op_args=[DAY]),
        EarlierDaysSensor(
            task_id="wait_for_earlier_days",
            day=DAY,
            last_task="release.check_release",
            poke_interval=15,
            timeout=timedelta(hours=48),
        ),
        LandingSensor(
            task_id="wait_for_landing",
            day=DAY,
            poke_interval=30,
            timeout=timedelta(hours=deployment().landing_hours),
        ),
        stage("ingest_landing"),
        ShortCircuitOperator(task_id="is_open", python_callable=is_open, op_args=[DAY]),
        ingested,
        texts,
        stage("plan_day", arguments=["{{ '--retrain' if params.retrain else '' }}"], plain=True),
        histories,
        [candidates[system.name] for system in SYSTEMS if system.before_trees],
        trees,
        [candidates[system.name] for system in SYSTEMS if not system.before_trees],
        evaluation,
        update,
        users,
        index,
        release,
    )
