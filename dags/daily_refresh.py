"""Turn one day of a shop's logs into a release that a recommender can serve.

Starts at midnight UTC and processes the day that has just ended. The run's partition key
is its day; nothing else decides which day it is.

    landing -> interactions, items, users, context, queries
            -> text_embeddings, histories -> item_vectors (dssm) -> codes (llm, cf)
            -> treebridge, stars -> metrics -> update -> user_embeddings, user_candidates
            -> index -> release

Up to `evaluate_models` nothing has been learnt from the day: the models are judged on it.
Then the update pass learns from it, and what it leaves is published.

A run waits for earlier days, so days are always worked in order. Every stage replaces its
own partition and publishing makes a new release, so any task can be cleared and run again.
Each stage checks its output before it commits; the `check_*` task after it shows the
verdict. When one falls the run stops, the old data stays, and the old release keeps serving.

**On call.** A red `check_*` task is a data problem: read the table it logged, mend the
source, clear the stage before it. A job that says exit code 65 refused its input and was not
retried: mend what it names, clear it. A red `wait_for_landing` names the feed that is missing.
A red `require_day` means the run was started without a day that is over. Any other red task
is a code or cluster problem: read the driver's lines in its log; two retries have already
failed. A day whose tasks are skipped after `is_open` was closed. To go back to an earlier
release: `make rollback TO=<release>`. To run days again, in order: `make backfill FROM= TO=`.
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
from orchestration.stages import DAY, gate, judged, stage

with DAG(
    dag_id="daily_refresh",
    doc_md=__doc__,
    schedule=every_midnight(),
    # More than one, or a later day that waits would keep an earlier one from starting.
    max_active_runs=16,
    dagrun_timeout=timedelta(hours=48),
    deadline=late_after(deployment().deadline_hours),
    params={
        "retrain": switch("Train from scratch and rebuild the trees, whatever the plan would say."),
        "make_current": switch("Serve this release even where a later day's is being served."),
    },
    tags=["grove", "recall", "tier-1"],
    **house_rules(),
):
    with TaskGroup("ingested", tooltip="What was landed, accepted and refused") as ingested:
        for dataset in INGESTED:
            gate(dataset.name, of="ingest_landing")
    with TaskGroup("texts", tooltip="Vectors of texts this encoder never saw") as texts:
        judged("embed_texts", "text_embeddings")
    with TaskGroup("histories", tooltip="What each user did, in order") as histories:
        judged("build_histories", "histories")
    candidates = {}
    for system in SYSTEMS:
        with TaskGroup(system.name, tooltip=system.title) as candidates[system.name]:
            judged(system.job, system.output)
    with TaskGroup("trees", tooltip="A path for every item: by text, and by behaviour") as trees:
        judged("build_trees", "codes")
    with TaskGroup("evaluation", tooltip="Judged on a day nobody has seen") as evaluation:
        judged("evaluate_models", "metrics")
    with TaskGroup("update", tooltip="Learn the day itself, in a short pass") as update:
        for system in SYSTEMS:
            with TaskGroup(system.name):
                judged(system.job, system.output, training_pass="update")
    with TaskGroup("users", tooltip="Two vectors and a list for every user") as users:
        judged("infer_users", "user_embeddings")
        judged("retrieve_candidates", "user_candidates")
    with TaskGroup("index", tooltip="Nearest items of a vector") as index:
        judged("build_index", "index")
    with TaskGroup("release", tooltip="One folder, one manifest, one pointer") as release:
        make_current = "{{ '--make-current' if params.make_current else '' }}"
        judged("publish_release", "release", arguments=[make_current])

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
