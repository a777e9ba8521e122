"""Threads of a tree's construction: whole nodes in parallel, each on one core."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import faiss
from threadpoolctl import threadpool_limits


def side_by_side(task: Callable[..., None], *arguments: Sequence[Any]) -> None:
    """Run a task once per entry of the arguments, in as many threads as there are cores.

    A node is a small task of many steps, most of which neither FAISS nor BLAS would spread over
    cores; so every core takes whole nodes. FAISS and BLAS get one thread per task (BLAS more when
    there are fewer tasks than cores): matmuls of many nodes, each on all cores, would wait for one
    another. A single entry runs alone and keeps every thread.

    Args:
        task: called with one entry of each argument; its exception is raised here.
        arguments: sequences of the same length.
    """
    count = len(arguments[0])
    if count == 1:
        task(*(one[0] for one in arguments))
        return
    cores = faiss.omp_get_max_threads()
    workers = ThreadPoolExecutor(cores, initializer=faiss.omp_set_num_threads, initargs=(1,))
    each = max(1, cores // count)
    with threadpool_limits(each, user_api="blas"), workers:
        deque(workers.map(task, *arguments), maxlen=0)
