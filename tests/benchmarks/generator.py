"""P4 and P5: training speed of the models, and speed of the beam over scoring every leaf.

Training is timed as a worker runs it, on one thread, beside a plain torch loop of the same shape on
one thread. The searches use every core. The generator of 12,000 items is trained here on its tree,
with shoppers of a few topics each; the tree of 1,000,000 items is searched with random weights,
which cost as much as trained ones.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from tests.benchmarks.exhaustive import PATHS_PER_PIECE
from tests.benchmarks.plain_sasrec import seconds_of_plain_epoch
from tests.benchmarks.rows import Row
from tests.benchmarks.search_case import (
    CUTOFFS,
    EPOCHS,
    TOGETHER,
    Case,
    random_case,
    trained_case,
)
from tests.benchmarks.topic_shop import (
    EVENTS,
    ITEMS,
    WORKERS,
    options_of,
    train_model,
    write_topic_shop,
)

from grove.features.sequences import Sequences
from grove.systems.treebridge.programs import HISTORY_FIELDS
from grove.systems.treebridge.search import USERS_PER_SEARCH
from grove.training.batches import user_batches
from grove.training.worker_inputs import read_worker_inputs

LEARNERS, EPOCHS_TIMED = 512, 2
LARGEST_LOADING_SHARE = 0.5
BEAMS, ALONE = (50, 100, 200), 200
EXHAUSTIVE_USERS = {ITEMS: 64, 1_000_000: 8}
LEAST_RECALL, LEAST_TIMES_FASTER = 0.98, 20
Search = Callable[[slice], np.ndarray]
"""Some users to their lists, [U, k]."""


def measure_training(_data: Path | None) -> Iterator[Row]:
    """P4: sequences per second, and the share of a training step that waits for its batch."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        spec, _, _ = write_topic_shop(Path(folder), LEARNERS)
        sequences = read_worker_inputs(spec).sequences
        plain = LEARNERS / seconds_of_plain_epoch(sequences)
        shape = f"{LEARNERS:,} x {EVENTS} events, {ITEMS:,} items, 1 thread"
        yield Row(f"P4 plain SASRec loop, {shape}", plain, "sequences/s")
        for model in WORKERS:
            first = train_model(model, spec, 1)
            more = train_model(model, spec, 1 + EPOCHS_TIMED)
            epoch = (more - first) / EPOCHS_TIMED
            yield Row(f"P4 {model}, {shape}", LEARNERS / epoch, "sequences/s")
            reference = "plain SASRec loop: width 64, 2 layers, full softmax"
            yield Row(
                f"P4 {model} over the plain loop", LEARNERS / epoch / plain, "ratio", reference
            )
            share = seconds_of_batches(sequences, options_of(model, 1)["batch_size"]) / epoch
            yield Row(
                f"P4 {model}, loading of batches", share, "share of an epoch",
                goal=f"< {LARGEST_LOADING_SHARE:g}", met=share < LARGEST_LOADING_SHARE,
            )  # fmt: skip


def seconds_of_batches(sequences: Sequences, size: int) -> float:
    """Seconds to make an epoch's batches."""
    batches = user_batches(sequences, size=size, seed=1)
    return seconds_of(lambda: [batch.lengths for batch in batches.epoch(0)])


def measure_search(count: int, _data: Path | None) -> Iterator[Row]:
    """P5 on a tree of `count` items."""
    with tempfile.TemporaryDirectory() as folder:
        make = trained_case if count == ITEMS else partial(random_case, count=count)
        case = make(Path(folder))
        torch.set_num_threads(os.cpu_count() or 1)  # the training has set one
        with torch.inference_mode():
            yield from search_rows(case, count)


def search_rows(case: Case, count: int) -> Iterator[Row]:
    """Speed and recall of the beam, beside scoring every item."""
    case.score_all(slice(0, 1))  # the first call is slower than any other
    group = max(PATHS_PER_PIECE // len(case.tree.leaf_items), 1)
    started = perf_counter()
    best = _all_scored(case, count, group, weighed=True)
    exhaustive = len(best) / (perf_counter() - started)
    by_tree = _all_scored(case, count, group, weighed=False)
    where = f"{count:,} items, {case.name}"
    yield Row(f"P5 every leaf, {where}", exhaustive, "users/s")
    for beam in BEAMS:
        subject, search = f"P5 beam {beam}, {where}", partial(case.search, beam=beam)
        speed = users_per_second(search)
        yield Row(f"{subject}, in batches of {USERS_PER_SEARCH}", speed, "users/s")
        yield _times_faster(subject, speed / exhaustive, count)
        yield from latencies(subject, partial(one_user, search))
        exported = partial(one_user, partial(search, exported=True))
        yield from latencies(f"{subject}, exported", exported)
        compared = slice(0, len(best))
        yield from _recalls(subject, search(compared, weighed=False), by_tree, count)
        if count == ITEMS:  # random item scores are unrelated to the beam's
            yield from _recalls(f"{subject}, weighed", search(compared), best, count)
    program = f"P5 user program, {EVENTS} events, {where}, exported"
    yield from latencies(program, partial(encode_user, case))


def _all_scored(case: Case, count: int, group: int, *, weighed: bool) -> np.ndarray:
    """Lists by scoring every item, a few users at a time, [U, k]."""
    pieces = range(0, EXHAUSTIVE_USERS[count], group)
    lists = [case.score_all(slice(at, at + group), weighed=weighed) for at in pieces]
    return np.concatenate(lists)


def users_per_second(search: Search) -> float:
    """Speed of a search for all users, in batches as served, after one batch to warm up."""
    search(slice(0, USERS_PER_SEARCH))
    started = perf_counter()
    for start in range(0, TOGETHER, USERS_PER_SEARCH):
        search(slice(start, start + USERS_PER_SEARCH))
    return TOGETHER / (perf_counter() - started)


def one_user(search: Search, user: int) -> np.ndarray:
    """The list of one user, [1, k]."""
    return search(slice(user, user + 1))


def encode_user(case: Case, user: int) -> None:
    """Run the user program for one history; its values do not change the speed."""
    history = torch.zeros(1, EVENTS, len(HISTORY_FIELDS), dtype=torch.int64)
    vectors = case.item_vectors[user : user + EVENTS][None]
    case.programs.programs["users"](history, vectors, torch.tensor([EVENTS]))


def latencies(subject: str, answer: Callable[[int], object]) -> Iterator[Row]:
    """Median and 99th percentile over users, one at a time."""
    answer(0)
    seconds = [seconds_of(partial(answer, user)) for user in range(ALONE)]
    for percentile in (50, 99):
        value = 1_000 * float(np.percentile(seconds, percentile))
        yield Row(f"{subject}, alone, p{percentile}", value, "ms/user")


def _times_faster(subject: str, times: float, count: int) -> Row:
    if count == ITEMS:
        return Row(f"{subject}, over every leaf", times, "ratio", "little to win at this size")
    goal, met = f"≥ {LEAST_TIMES_FASTER}", times >= LEAST_TIMES_FASTER
    return Row(f"{subject}, over every leaf", times, "ratio", "shares prefixes", goal, met)


def _recalls(subject: str, found: np.ndarray, best: np.ndarray, count: int) -> Iterator[Row]:
    for cutoff in CUTOFFS:
        same = found[:, :cutoff, None] == best[:, None, :cutoff]  # [U, cutoff, cutoff]
        recall = float(same.any(axis=2).mean())
        measure = f"{subject}, recall@{cutoff} of every leaf's"
        if count == ITEMS:
            goal, met = f"≥ {LEAST_RECALL:g}", recall >= LEAST_RECALL
            yield Row(measure, recall, "share", f"{EPOCHS} epochs on topics", goal, met)
        else:
            yield Row(measure, recall, "share", "random weights")


def seconds_of(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = perf_counter()
    work()
    return perf_counter() - started


PARTS = {
    "training": measure_training,
    **{f"search-{count}": partial(measure_search, count) for count in EXHAUSTIVE_USERS},
}
