"""Give every vector a cluster so that each cluster gets exactly its number of vectors.

The plain optimum is a transport problem. Three steps come close to it in time linear
in N: few candidates per vector (BLAS), one price per cluster so that demand meets
capacity, then moves of the cheapest vectors out of the clusters still too full.

Letters: N vectors, K clusters, D width, M candidates per vector.
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
from scipy.sparse import csr_matrix

CANDIDATES = 16
"""M of large inputs: clusters a vector may choose from before the last moves."""
DENSE_FLOATS = 1 << 22
"""Up to this many distances every vector may choose from all clusters: M = K."""
PRICE_ROWS_PER_CLUSTER = 1024
"""Prices are estimated from this many vectors per cluster."""
COOLING_STEPS = 6
WARM_COOLING_STEPS = 2
"""Temperatures tried, all of them or the last ones when earlier prices are given."""
LEAST_ENERGY = -60.0
"""Below it a wish counts as this faint one, e⁻⁶⁰: numbers near the smallest that float32 can hold
are calculated with a hundred times more slowly, and none of them changes a price."""
SCALING_STEPS = 4
"""Sinkhorn steps per temperature; what they leave uneven is moved afterwards."""


@dataclass(frozen=True)
class Assignment:
    """Who got which cluster, and at which prices."""

    labels: np.ndarray
    """[N] int64."""
    prices: np.ndarray
    """[K] float32; they speed up the next assignment to nearly the same centroids."""


@dataclass(frozen=True)
class Offers:
    """The clusters each vector may choose from."""

    clusters: np.ndarray | None
    """[N, M] int64; none where every vector may choose from all clusters, in order."""
    costs: np.ndarray
    """[N, M] float32, squared distances."""

    def of(self, rows: np.ndarray) -> Offers:
        """Offers of some vectors: [R] rows → [R, M]."""
        return Offers(None if self.clusters is None else self.clusters[rows], self.costs[rows])

    def per_offer(self, values: np.ndarray) -> np.ndarray:
        """Spread a value per cluster over the offers: [K] → [N, M]."""
        if self.clusters is None:
            return np.broadcast_to(values, self.costs.shape)
        return values[self.clusters]

    def cheapest(self, costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cluster and place of the offer that is cheapest by other costs: [N, M] → [N], [N, 1]."""
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
    offers = nearest_offers(vectors, centroids)
    target = _spread_capacities(offers, capacities)  # [K]
    start = np.zeros(len(target), dtype=np.float32) if prices is None else prices
    prices = clearing_prices(offers, target, start)  # [K]
    labels, choice = offers.cheapest(offers.costs + offers.per_offer(prices))  # [N], [N, 1]
    own_costs = np.take_along_axis(offers.costs, choice, axis=1)[:, 0]  # [N]
    while (np.bincount(labels, minlength=len(target)) != target).any():
        if not move_cheapest(labels, own_costs, offers, target):
            offers = _offers_of_open_clusters(vectors, centroids, labels, target)
    return Assignment(labels, prices)


def nearest_offers(vectors: np.ndarray, centroids: np.ndarray) -> Offers:
    """Find the M nearest centroids of every vector.

    Args:
        vectors: [N, D] float32.
        centroids: [K, D] float32.

    Returns:
        M offers per vector, nearest first; all clusters in order when M = K.
    """
    if len(vectors) * len(centroids) <= DENSE_FLOATS or len(centroids) <= CANDIDATES:
        own, others = (np.einsum("nd,nd->n", one, one) for one in (vectors, centroids))
        return Offers(None, own[:, None] + others - 2 * (vectors @ centroids.T))  # [N, K]
    # Blocks of distances by BLAS and the nearest of each by a heap, both in C++.
    costs, clusters = faiss.knn(vectors, centroids, CANDIDATES)  # [N, M], [N, M]
    return Offers(clusters, costs)


def clearing_prices(offers: Offers, capacities: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Find a price per cluster at which about as many vectors choose it as it can hold.

    Sinkhorn's iteration on the offers while a temperature falls to a hundredth of the
    usual spread of a vector's costs. Prices are a statistic of K numbers, so a sample of
    the vectors is enough, and good starting prices need the low temperatures only.

    Source: Cuturi, "Sinkhorn Distances", Section 4; between temperatures the column
    scaling is absorbed into prices, so that small temperatures do not underflow.

    Args:
        offers: of N vectors.
        capacities: [K] int64, at least 1 each.
        start: [K] float32, prices of an earlier round, or zeros.

    Returns:
        [K] float32, to be added to the costs.
    """
    rows = _spaced_rows(len(offers.costs), PRICE_ROWS_PER_CLUSTER * len(capacities))
    sample = offers.of(rows)  # [S, M]
    wanted = (capacities * (len(rows) / capacities.sum())).astype(np.float32)  # [K]
    spread = float(np.median(sample.costs.max(axis=1) - sample.costs.min(axis=1)))
    prices = start.astype(np.float32)
    if spread == 0:
        return prices
    temperatures = spread * np.geomspace(1, 0.01, COOLING_STEPS, dtype=np.float32)
    for temperature in temperatures[-WARM_COOLING_STEPS if start.any() else 0 :]:
        kernel = _kernel(sample, prices, temperature)  # [S, K]
        scale = np.ones(len(prices), dtype=np.float32)  # [K]
        for _ in range(SCALING_STEPS):
            demand = scale * (kernel.T @ (1 / (kernel @ scale)))  # [K]
            # A cluster nobody asks for must not become cheaper than any distance can repay.
            scale *= np.clip(wanted / np.maximum(demand, 1e-20), 1e-2, 1e2)
        prices = prices - temperature * np.log(scale)
    return prices


def move_cheapest(
    labels: np.ndarray, own_costs: np.ndarray, offers: Offers, capacities: np.ndarray
) -> bool:
    """Move vectors from clusters too full to clusters with room, the cheapest moves first.

    Changes `labels` and `own_costs` in place. A round moves no more vectors out of a
    cluster than it has too many, and no more into one than it has room for.

    Args:
        labels: [N] int64.
        own_costs: [N] float32, cost of each vector's present cluster.
        offers: of N vectors; an infinite cost is no offer.
        capacities: [K] int64.

    Returns:
        Whether any vector moved.
    """
    excess = np.bincount(labels, minlength=len(capacities)) - capacities  # [K]
    rows = np.flatnonzero(excess[labels] > 0)  # [R]
    offered = offers.of(rows)  # [R, M]
    costs = np.where(offered.per_offer(excess) < 0, offered.costs, np.inf)  # [R, M]
    target, best = offered.cheapest(costs)  # [R], [R, 1]
    cost = np.take_along_axis(costs, best, axis=1)[:, 0]  # [R]
    order = np.argsort(cost - own_costs[rows], kind="stable")  # [R]
    order = order[np.isfinite(cost[order])]
    order = order[_rank_in_group(labels[rows[order]]) < excess[labels[rows[order]]]]
    order = order[_rank_in_group(target[order]) < -excess[target[order]]]
    labels[rows[order]] = target[order]
    own_costs[rows[order]] = cost[order]
    return len(order) > 0


def _offers_of_open_clusters(
    vectors: np.ndarray, centroids: np.ndarray, labels: np.ndarray, capacities: np.ndarray
) -> Offers:
    """Offers among the clusters with room, for the vectors of clusters too full."""
    excess = np.bincount(labels, minlength=len(capacities)) - capacities  # [K]
    open_clusters = np.flatnonzero(excess < 0)
    rows = np.flatnonzero(excess[labels] > 0)
    found = nearest_offers(vectors[rows], centroids[open_clusters])
    clusters = np.zeros((len(labels), found.costs.shape[1]), dtype=np.int64)  # [N, M]
    costs = np.full(clusters.shape, np.inf, dtype=np.float32)  # [N, M]
    clusters[rows] = found.per_offer(open_clusters)
    costs[rows] = found.costs
    return Offers(clusters, costs)


def _spread_capacities(offers: Offers, capacities: np.ndarray) -> np.ndarray:
    """Give the larger capacities to the clusters nearest to more vectors, [K]."""
    nearest, _ = offers.cheapest(offers.costs)  # [N]
    demand = np.bincount(nearest, minlength=len(capacities))  # [K]
    target = np.empty_like(capacities)
    target[np.argsort(-demand, kind="stable")] = np.sort(capacities)[::-1]
    return target


def _kernel(offers: Offers, prices: np.ndarray, temperature: float) -> np.ndarray | csr_matrix:
    """How much each vector wants each cluster, 1 for the one it wants most, [S, K]."""
    count, kept = offers.costs.shape
    energies = offers.costs + offers.per_offer(prices)  # [S, M]
    energies -= energies.min(axis=1, keepdims=True)
    energies *= -1 / temperature
    np.maximum(energies, LEAST_ENERGY, out=energies)
    weights = np.exp(energies, out=energies)
    if offers.clusters is None:
        return weights
    starts = np.arange(0, count * kept + 1, kept)
    return csr_matrix((weights.ravel(), offers.clusters.ravel(), starts), (count, len(prices)))


def _spaced_rows(count: int, at_most: int) -> np.ndarray:
    """Rows spread evenly over 0..count-1, all of them when they are few enough."""
    return np.arange(count) if count <= at_most else np.arange(at_most) * count // at_most


def _rank_in_group(groups: np.ndarray) -> np.ndarray:
    """How many earlier entries belong to the same group, for every entry, [R]."""
    order = np.argsort(groups, kind="stable")
    grouped = groups[order]
    starts = np.searchsorted(grouped, grouped, side="left")
    ranks = np.empty(len(groups), dtype=np.int64)
    ranks[order] = np.arange(len(groups)) - starts
    return ranks
