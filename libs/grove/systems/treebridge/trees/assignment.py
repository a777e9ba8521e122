"""Balanced assignment: every vector gets a cluster, every cluster its exact size.

The optimum is a problem of optimal transport: minimise the sum of squared distances under the
sizes of the clusters. Three steps come close to it in time linear in N: M candidate clusters per
vector (BLAS); the dual variables of the sizes, one *price* per cluster, by Sinkhorn iterations on
a sample; then the cheapest moves out of the clusters that are still too full.

Notation: N vectors, K clusters, D width, M candidate clusters per vector, S sampled vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
from scipy.sparse import csr_matrix

CANDIDATES = 16
"""M of large inputs: candidate clusters of a vector before the last moves."""
DENSE_FLOATS = 1 << 22
"""Up to this many distances every cluster is a candidate of every vector: M = K."""
PRICE_ROWS_PER_CLUSTER = 1024
"""Prices are estimated from this many vectors per cluster."""
COOLING_STEPS = 6
WARM_COOLING_STEPS = 2
"""Temperatures: all of them, or the last ones when earlier prices are given."""
LEAST_EXPONENT = -60.0
"""Floor of the kernel's exponent: e⁻⁶⁰ changes no price, and smaller values would become float32
subnormals, which are about a hundred times slower."""
SCALING_STEPS = 4
"""Sinkhorn iterations per temperature; the imbalance they leave is moved afterwards."""


@dataclass(frozen=True)
class Assignment:
    """Clusters of the vectors, and the prices they were chosen at."""

    labels: np.ndarray
    """[N] int64."""
    prices: np.ndarray
    """[K] float32 dual variables; a start for the next assignment to nearly the same centroids."""


@dataclass(frozen=True)
class CandidateClusters:
    """Candidate clusters of every vector."""

    clusters: np.ndarray | None
    """[N, M] int64; none where all clusters are candidates, in order."""
    costs: np.ndarray
    """[N, M] float32, squared distances."""

    def of(self, rows: np.ndarray) -> CandidateClusters:
        """Candidates of some vectors: [R] rows → [R, M]."""
        return CandidateClusters(
            None if self.clusters is None else self.clusters[rows], self.costs[rows]
        )

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Look up a value per cluster for every candidate: [K] → [N, M]."""
        if self.clusters is None:
            return np.broadcast_to(values, self.costs.shape)
        return values[self.clusters]

    def cheapest(self, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Candidate of least cost: costs [N, M] → its cluster [N], its column [N, 1]."""
        choice = np.argmin(costs, axis=1)[:, None]  # [N, 1]
        if self.clusters is None:
            return choice[:, 0], choice
        return np.take_along_axis(self.clusters, choice, axis=1)[:, 0], choice


def assign_balanced(
    vectors: np.ndarray,
    centroids: np.ndarray,
    capacities: np.ndarray,
    *,
    prices: np.ndarray | None = None,
) -> Assignment:
    """Assign every vector to a near centroid while every cluster is filled exactly.

    Larger capacities go to the clusters that more vectors are nearest to.

    Args:
        vectors: [N, D] float32.
        centroids: [K, D] float32.
        capacities: [K] int64, cluster sizes in any order, summing to N.
        prices: [K] float32 of an earlier assignment to nearby centroids.

    Returns:
        Labels [N] and prices [K].

    Example:
        >>> line = np.array([[1.0], [2.0], [3.0], [9.0]], dtype=np.float32)
        >>> assign_balanced(line, line[[0, 3]], np.array([2, 2])).labels.tolist()
        [0, 0, 1, 1]
    """
    candidates = nearest_clusters(vectors, centroids)
    target = _order_capacities(candidates, capacities)  # [K]
    start = np.zeros(len(target), dtype=np.float32) if prices is None else prices
    prices = dual_prices(candidates, target, start)  # [K]
    labels, choice = candidates.cheapest(
        candidates.costs + candidates.spread(prices)
    )  # [N], [N, 1]
    own_costs = np.take_along_axis(candidates.costs, choice, axis=1)[:, 0]  # [N]
    # Prices balance the sizes but for some per cent; moves make them exact. Once a vector has no
    # open cluster among its candidates, new candidates are found among the open clusters alone.
    while (np.bincount(labels, minlength=len(target)) != target).any():
        if not move_cheapest(labels, own_costs, candidates, target):
            candidates = _open_candidates(vectors, centroids, labels, target)
    return Assignment(labels, prices)


def nearest_clusters(vectors: np.ndarray, centroids: np.ndarray) -> CandidateClusters:
    """Find the M nearest centroids of every vector.

    Args:
        vectors: [N, D] float32.
        centroids: [K, D] float32.

    Returns:
        M candidates per vector, nearest first; all clusters in order when M = K.
    """
    if len(vectors) * len(centroids) <= DENSE_FLOATS or len(centroids) <= CANDIDATES:
        own, others = (np.einsum("nd,nd->n", one, one) for one in (vectors, centroids))
        return CandidateClusters(
            None, own[:, None] + others - 2 * (vectors @ centroids.T)
        )  # [N, K]
    # FAISS computes distances in blocks by BLAS and keeps the nearest in a heap: no N x K array.
    costs, clusters = faiss.knn(vectors, centroids, CANDIDATES)  # [N, M], [N, M]
    return CandidateClusters(clusters, costs)


def dual_prices(
    candidates: CandidateClusters, capacities: np.ndarray, start: np.ndarray
) -> np.ndarray:
    """Estimate the dual variable of every cluster's size, its price.

    At these prices p the choice argmin_k (cost_k + p_k) fills cluster k with about its capacity.
    Sinkhorn iterations on the kernel exp(−(cost + p) / temperature) while the temperature falls to
    a hundredth of the usual spread of a vector's costs. Prices are K statistics of the vectors, so
    a sample is enough, and good starting prices need the low temperatures only.

    Source: Cuturi, "Sinkhorn Distances", Section 4. Deviation: between temperatures the column
    scaling is absorbed into prices, so that small temperatures do not underflow.

    Args:
        candidates: of N vectors.
        capacities: [K] int64, at least 1 each.
        start: [K] float32, prices of an earlier round, or zeros.

    Returns:
        [K] float32, to be added to the costs.
    """
    rows = _spaced_rows(len(candidates.costs), PRICE_ROWS_PER_CLUSTER * len(capacities))
    sample = candidates.of(rows)  # [S, M]
    wanted = (capacities * (len(rows) / capacities.sum())).astype(np.float32)  # [K]
    spread = float(np.median(sample.costs.max(axis=1) - sample.costs.min(axis=1)))
    prices = start.astype(np.float32)
    if spread == 0:  # all candidates are equally far: any prices are optimal
        return prices
    temperatures = spread * np.geomspace(1, 0.01, COOLING_STEPS, dtype=np.float32)
    for temperature in temperatures[-WARM_COOLING_STEPS if start.any() else 0 :]:
        kernel = _kernel(sample, prices, temperature)  # [S, K]
        scale = np.ones(len(prices), dtype=np.float32)  # [K]
        for _ in range(SCALING_STEPS):
            # Rows are normalised to sum one; `mass` is then the soft size of every cluster.
            mass = scale * (kernel.T @ (1 / (kernel @ scale)))  # [K]
            # Without bounds, the price of a cluster that is no vector's candidate would fall so far
            # that no later temperature could raise it again.
            scale *= np.clip(wanted / np.maximum(mass, 1e-20), 1e-2, 1e2)
        # A factor on a column of the kernel is a price: exp(−p / t) = scale.
        prices = prices - temperature * np.log(scale)
    return prices


def move_cheapest(
    labels: np.ndarray, own_costs: np.ndarray, candidates: CandidateClusters, capacities: np.ndarray
) -> bool:
    """Move vectors from clusters that are too full to open ones, the cheapest moves first.

    Changes `labels` and `own_costs` in place. A round moves at most the excess out of a cluster,
    and at most the free capacity into one.

    Args:
        labels: [N] int64.
        own_costs: [N] float32, cost of each vector's present cluster.
        candidates: of N vectors; an infinite cost is no candidate.
        capacities: [K] int64.

    Returns:
        Whether any vector moved.
    """
    excess = np.bincount(labels, minlength=len(capacities)) - capacities  # [K]
    rows = np.flatnonzero(excess[labels] > 0)  # [R]
    own = candidates.of(rows)  # [R, M]
    costs = np.where(own.spread(excess) < 0, own.costs, np.inf)  # [R, M]
    target, best = own.cheapest(costs)  # [R], [R, 1]
    cost = np.take_along_axis(costs, best, axis=1)[:, 0]  # [R]
    # A move is worth what it adds to the sum of distances, not how far its target is. The sort is
    # stable, so equal moves are made in the order of the rows, on every machine.
    order = np.argsort(cost - own_costs[rows], kind="stable")  # [R]
    order = order[np.isfinite(cost[order])]
    # First the quota of every source, then that of every target: a move dropped by the second
    # leaves its source too full, and the caller's next round tries again.
    order = order[_rank_in_group(labels[rows[order]]) < excess[labels[rows[order]]]]
    order = order[_rank_in_group(target[order]) < -excess[target[order]]]
    labels[rows[order]] = target[order]
    own_costs[rows[order]] = cost[order]
    return len(order) > 0


def _open_candidates(
    vectors: np.ndarray, centroids: np.ndarray, labels: np.ndarray, capacities: np.ndarray
) -> CandidateClusters:
    """Candidates among the open clusters, for the vectors of clusters that are too full."""
    excess = np.bincount(labels, minlength=len(capacities)) - capacities  # [K]
    open_clusters = np.flatnonzero(excess < 0)
    rows = np.flatnonzero(excess[labels] > 0)
    found = nearest_clusters(vectors[rows], centroids[open_clusters])
    clusters = np.zeros((len(labels), found.costs.shape[1]), dtype=np.int64)  # [N, M]
    costs = np.full(clusters.shape, np.inf, dtype=np.float32)  # [N, M]
    clusters[rows] = found.spread(open_clusters)
    costs[rows] = found.costs
    return CandidateClusters(clusters, costs)


def _order_capacities(candidates: CandidateClusters, capacities: np.ndarray) -> np.ndarray:
    """Give the larger capacities to the clusters nearest to more vectors, [K]."""
    nearest, _ = candidates.cheapest(candidates.costs)  # [N]
    sizes = np.bincount(nearest, minlength=len(capacities))  # [K]
    target = np.empty_like(capacities)
    target[np.argsort(-sizes, kind="stable")] = np.sort(capacities)[::-1]
    return target


def _kernel(
    candidates: CandidateClusters, prices: np.ndarray, temperature: float
) -> np.ndarray | csr_matrix:
    """Sinkhorn kernel exp(−(cost + price − least) / temperature), [S, K]; 1 at a row's least."""
    count, kept = candidates.costs.shape
    exponents = candidates.costs + candidates.spread(prices)  # [S, M]
    # Rows are normalised anyway, so their least cost can be taken off: every row keeps a 1.
    exponents -= exponents.min(axis=1, keepdims=True)
    exponents *= -1 / temperature
    np.maximum(exponents, LEAST_EXPONENT, out=exponents)
    weights = np.exp(exponents, out=exponents)
    if candidates.clusters is None:
        return weights
    starts = np.arange(0, count * kept + 1, kept)
    return csr_matrix((weights.ravel(), candidates.clusters.ravel(), starts), (count, len(prices)))


def _spaced_rows(count: int, at_most: int) -> np.ndarray:
    """Rows spread evenly over 0..count-1, all of them when they are few enough."""
    return np.arange(count) if count <= at_most else np.arange(at_most) * count // at_most


def _rank_in_group(groups: np.ndarray) -> np.ndarray:
    """Number of earlier entries of the same group, for every entry, [R]."""
    order = np.argsort(groups, kind="stable")
    grouped = groups[order]
    starts = np.searchsorted(grouped, grouped, side="left")
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - starts
    return ranks
