"""P3: the balanced tree over FAISS hierarchical k-means of the same shape, in one run.

Every method runs in a process of its own, with its own peak memory; the timed work ends with the
leaf of every vector. Synthetic vectors are unit vectors of 2,000 topics of skewed sizes, as in a
shop. The growth of time is the power of N between two sizes, which differ in levels and leaves too.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from time import perf_counter

import faiss
import numpy as np
import pyarrow.parquet as pq
from tests.benchmarks.rows import Row

from grove.systems.treebridge.trees import TreeShape
from grove.systems.treebridge.trees.build import build_tree, mean_squared_distance
from grove.systems.treebridge.trees.kmeans import members_of_nodes, split_nodes
from grove.systems.treebridge.trees.shape import fit_level_sizes
from grove.texts.encoder import EncoderSpec, encoder_folder, load_encoder
from grove.texts.prompt import item_text

WIDTH = 384
TOPICS = 2_000
ITERATIONS = 20
CAPACITY = 50
SHAPES = {10_000: (16, 16), 100_000: (92, 32), 1_000_000: (300, 100)}
BEAUTY_SHAPE = (32, 32)
MOST_OVER_FAISS = {"balanced tree": 2.0, "whole codebook": 4.0}
MOST_MEMORY_GIB = 12.0
MOST_DISTORTION = 1.05
MOST_GROWTH = 1.1
ROUNDS, SHORT_WORK = 5, 100_000
"""Times of a few seconds vary by a fifth to a half, so the work is repeated."""
BEAUTY = Path("../shared/data/amazon2014_beauty")
Measured = dict[str, dict[str, float]]
"""Result of `measure_method` by method."""


def topic_vectors(count: int) -> np.ndarray:
    """Unit vectors around topics of skewed sizes, [count, WIDTH] float32."""
    generator = np.random.default_rng(count)
    topics = generator.normal(size=(TOPICS, WIDTH)).astype(np.float32)
    weights = 1 / np.arange(1, TOPICS + 1)
    chosen = generator.choice(TOPICS, count, p=weights / weights.sum())
    vectors = generator.standard_normal((count, WIDTH), dtype=np.float32)
    vectors += topics[chosen]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def faiss_leaves(vectors: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """FAISS's own k-means per level, unbalanced, without other work: leaf of every vector."""
    nodes = np.zeros(len(vectors), dtype=np.int64)
    for size in sizes:
        below = np.empty_like(nodes)
        for rows in members_of_nodes(nodes):
            below[rows] = nodes[rows] * size + _faiss_split(vectors[rows], size)
        nodes = below
    return nodes


def _faiss_split(vectors: np.ndarray, size: int) -> np.ndarray:
    if len(vectors) <= size:
        return np.arange(len(vectors))
    clustering = faiss.Kmeans(
        vectors.shape[1], size, niter=ITERATIONS, seed=1, min_points_per_centroid=1
    )
    clustering.train(vectors)
    return np.asarray(clustering.assign(vectors)[1])


def balanced_leaves(vectors: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Balanced k-means per level, without other work: leaf of every vector."""
    nodes = np.zeros(len(vectors), dtype=np.int64)
    for size in sizes:
        children = split_nodes(vectors, nodes, size, iterations=ITERATIONS, seed=1)
        nodes = nodes * size + children
    return nodes


def measure_method(method: str, file: Path, sizes: tuple[int, ...]) -> dict[str, float]:
    """Run one method in this process and measure it.

    Args:
        method: `FAISS`, `balanced tree` or `whole codebook`.
        file: vectors, [N, D].
        sizes: codes per level.

    Returns:
        Seconds, peak memory in GiB, smallest and largest leaf, mean squared distance to the leaf.
    """
    vectors = np.load(file)
    started = perf_counter()
    if method == "whole codebook":
        fill = -(-len(vectors) // math.prod(sizes))
        shape = TreeShape(level_sizes=sizes, leaf_capacity=max(CAPACITY, fill), headroom=0.0)
        ids = [f"i{row:07d}" for row in range(len(vectors))]
        leaves = build_tree(vectors, ids, shape=shape, iterations=ITERATIONS, seed=1).leaves
    elif method == "balanced tree":
        leaves = balanced_leaves(vectors, sizes)
    else:
        leaves = faiss_leaves(vectors, sizes)
    seconds = perf_counter() - started
    peak = peak_memory()
    filled = np.bincount(leaves)
    filled = filled[filled > 0]
    return {
        "seconds": seconds,
        "memory": peak,
        "smallest": float(filled.min()),
        "largest": float(filled.max()),
        "distortion": _distortion(vectors, leaves),
    }


def peak_memory() -> float:
    """Most memory this program has held so far, GiB.

    Not `ru_maxrss`: a process that was forked from a larger one begins with that one's peak.
    """
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024**2


def _distortion(vectors: np.ndarray, leaves: np.ndarray) -> float:
    used, nodes = np.unique(leaves, return_inverse=True)
    order = np.argsort(nodes, kind="stable")
    starts = np.searchsorted(nodes[order], np.arange(len(used)))
    means = np.add.reduceat(vectors[order], starts) / np.bincount(nodes)[:, None]
    return mean_squared_distance(vectors, means.astype(np.float32), nodes)


def _in_a_process(method: str, file: Path, sizes: tuple[int, ...]) -> dict[str, float]:
    code = (
        "import json, sys; from pathlib import Path; from tests.benchmarks import trees;"
        f"print(json.dumps(trees.measure_method({method!r}, Path({str(file)!r}), {sizes!r})))"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(
    name: str,
    make_vectors: Callable[[], np.ndarray],
    sizes: tuple[int, ...],
) -> Measured:
    """Every method on the same vectors, interleaved; the run of median seconds of each."""
    file = Path("build/benchmarks") / f"vectors-{name}.npy"
    vectors = make_vectors()
    np.save(file, vectors)
    rounds = ROUNDS if len(vectors) <= SHORT_WORK else 1
    runs: dict[str, list[dict[str, float]]] = {one: [] for one in ("FAISS", *MOST_OVER_FAISS)}
    try:
        for _, (one, done) in product(range(rounds), runs.items()):
            done.append(_in_a_process(one, file, sizes))
    finally:
        file.unlink()
    return {one: median_run(done) for one, done in runs.items()}


def median_run(runs: list[dict[str, float]]) -> dict[str, float]:
    """The run of median seconds, and the least and most seconds of all."""
    ordered = sorted(runs, key=lambda run: run["seconds"])
    ends = {"fastest": ordered[0]["seconds"], "slowest": ordered[-1]["seconds"]}
    return {**ordered[len(ordered) // 2], **ends}


def _compare(name: str, found: Measured, sizes: tuple[int, ...]) -> Iterator[Row]:
    where = f"{name}, {'/'.join(map(str, sizes))}"
    for one, run in found.items():
        repeated = run["slowest"] > run["fastest"]
        spread = f"{run['fastest']:.3g} to {run['slowest']:.3g}" if repeated else ""
        yield Row(f"P3 {one}, {where}", run["seconds"], "s", spread)
        yield Row(f"P3 {one}, {where}, smallest leaf", run["smallest"], "items")
        yield Row(f"P3 {one}, {where}, largest leaf", run["largest"], "items")
        limit = f"≤ {MOST_MEMORY_GIB:g}"
        yield Row(
            f"P3 {one}, {where}, peak memory", run["memory"], "GiB", goal=limit,
            met=run["memory"] <= MOST_MEMORY_GIB,
        )  # fmt: skip
    for one, most in MOST_OVER_FAISS.items():
        yield _ratio(f"P3 {one} over FAISS, {where}, time", found, one, "seconds", most)
        allowed = MOST_DISTORTION if name == "beauty" else None
        yield _ratio(f"P3 {one} over FAISS, {where}, distortion", found, one, "distortion", allowed)


def _ratio(measure: str, found: Measured, one: str, what: str, most: float | None) -> Row:
    ratio = found[one][what] / found["FAISS"][what]
    reference = "FAISS hierarchical k-means of the same shape"
    if most is None:
        return Row(measure, ratio, "ratio", reference)
    return Row(measure, ratio, "ratio", reference, f"≤ {most:g}", ratio <= most)


def measure_item_texts(data: Path | None) -> Iterator[Row]:
    """P3 on the text vectors of a shop's items, Beauty's where no folder is given."""
    if data is None:
        found = _measure("beauty", partial(_item_text_vectors, BEAUTY), BEAUTY_SHAPE)
        yield from _compare("beauty", found, BEAUTY_SHAPE)
        return
    count = pq.read_metadata(data / "items.parquet").num_rows
    shape = TreeShape(level_sizes=None, leaf_capacity=16, headroom=0.25)
    sizes = fit_level_sizes(shape, count)
    name = data.resolve().name
    yield from _compare(name, _measure(name, partial(_item_text_vectors, data), sizes), sizes)


def measure_made_up(count: int, _data: Path | None) -> Iterator[Row]:
    """P3 on so many made-up vectors, and how time grew since a tenth of them."""
    found = _measure_topics(count)
    yield from _compare(_topics(count), found, SHAPES[count])
    if count // 10 in SHAPES:
        yield from growth(count, found, _measure_topics(count // 10))


def growth(count: int, found: Measured, of_a_tenth: Measured) -> Iterator[Row]:
    """Yield the power of N of each method's seconds, between a tenth of the items and all."""
    for one, run in found.items():
        power = math.log10(run["seconds"] / of_a_tenth[one]["seconds"])
        since = f"since {of_a_tenth[one]['seconds']:.3g} s of a tenth"
        row = Row(f"P3 {one}, {_topics(count)}, growth of time", power, "power of N", since)
        ours = one in MOST_OVER_FAISS
        yield replace(row, goal=f"≤ {MOST_GROWTH:g}", met=power <= MOST_GROWTH) if ours else row


def _measure_topics(count: int) -> Measured:
    return _measure(_topics(count), partial(topic_vectors, count), SHAPES[count])


def _topics(count: int) -> str:
    return f"{count:,} × {WIDTH}"


def _item_text_vectors(data: Path) -> np.ndarray:
    """Vectors of a shop's item texts, by the default encoder; columns as of Amazon Beauty 2014."""
    columns = ["asin", "title", "brand", "categories"]
    items = pq.read_table(data / "items.parquet", columns=columns).to_pylist()
    texts = [
        item_text(item["title"] or item["asin"], None, item["brand"], item["categories"][0], [])
        for item in items
    ]
    return load_encoder(EncoderSpec(folder=encoder_folder("default"))).encode(texts)


PARTS = {
    **{f"items-{count}": partial(measure_made_up, count) for count in SHAPES},
    "beauty": measure_item_texts,
}
DATA_PARTS = ("beauty",)
