"""Cut a graph of blocks into connected parts of equal work.

A multilevel cut (METIS) makes a start; simulated annealing over single moves then settles balance, borders
and shape together, which METIS cannot: it knows no shape and no wish to have a border somewhere.

Sources: G. Karypis and V. Kumar, A fast and high quality multilevel scheme for partitioning irregular graphs,
SIAM J. Sci. Comput. 20, 1998; S. Kirkpatrick et al., Optimization by simulated annealing, Science 220 (1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pymetis
from numba import njit
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["BlockGraph", "metis_parts", "parts_of_work"]

_BALANCE = 20.0  # price of a squared deviation from the mean work
_LIMIT, _OVER = 1.095, 200.0  # beyond the limit each deviation costs this much more
_SHAPE = 5.0  # price of the moment of inertia over the squared area; a square has 1/6
_ACROSS, _FURTHER = 6.0, 0.1  # price of a part in two fields, and of each field beyond
_GROUP = 40  # most blocks that leave a part together
_HOT, _COLD = 4.0, 0.03


@dataclass(frozen=True, slots=True)
class BlockGraph:
    """Blocks and the borders between them.

    Parameters
    ----------
    first, second
        Ends of each edge, shape (m,).
    cut_cost
        Price of a cell border on it, in sides of a mean cell; negative where one is wished, shape (m,).
    work, area
        Of each block, positive, shape (n,).
    x, y
        Centre of each block, metres, shape (n,).
    field
        Ground it belongs to, from 0, shape (n,): a part should not hold blocks of several.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    cut_cost: NDArray[np.float64]
    work: NDArray[np.float64]
    area: NDArray[np.float64]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    field: NDArray[np.intp]

    def matrix(self) -> csr_array:
        """Symmetric adjacency; the values are edge positions from 1."""
        n, edge = len(self.work), np.arange(1, len(self.first) + 1)
        ends = (np.append(self.first, self.second), np.append(self.second, self.first))
        return csr_array(coo_array((np.append(edge, edge), ends), shape=(n, n)))

    def components(self) -> NDArray[np.intp]:
        """Find the connected component of each block, shape (n,)."""
        return np.asarray(connected_components(self.matrix(), directed=False)[1], dtype=np.intp)


def parts_of_work(graph: BlockGraph, count: int, *, seed: int, effort: float = 1.0) -> NDArray[np.intp]:
    """Divide the blocks among `count` connected parts.

    Parameters
    ----------
    graph
        At least `count` blocks in at most `count` components.
    count
        Number of parts.
    seed
        The same seed gives the same parts.
    effort
        Factor on the number of moves tried.

    Returns
    -------
    Part of each block, shape (n,); every part is connected and has a block.
    """
    start = metis_parts(graph, count, seed=seed)
    if count == 1 or count == len(graph.work):
        return start
    matrix = graph.matrix()
    side = np.sqrt(graph.area.sum() / count)
    part = start.astype(np.int64)
    _anneal(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int64),
        graph.cut_cost[matrix.data - 1].astype(np.float64),
        graph.work * (count / graph.work.sum()),
        graph.area / side**2,
        (graph.x - graph.x.mean()) / side,
        (graph.y - graph.y.mean()) / side,
        graph.field.astype(np.int64),
        part,
        count,
        np.uint64(seed * 2654435761 % 2**63 + 88172645463325252),
        int(effort * min(30_000_000, 18_000 * len(part) + 50_000)),
    )
    return part.astype(np.intp)


def metis_parts(graph: BlockGraph, count: int, *, seed: int) -> NDArray[np.intp]:
    """Divide by METIS alone, each component by itself, then made connected; as `parts_of_work`."""
    component = graph.components()
    shares = _allot(np.bincount(component, weights=graph.work).astype(np.float64), count)
    part = np.zeros(len(graph.work), dtype=np.intp)
    matrix, used = graph.matrix(), 0
    for number, share in enumerate(shares):
        members = np.flatnonzero(component == number)
        inner = csr_array(matrix[members][:, members])
        part[members] = used + _metis(graph, members, inner, int(share), seed)
        used += int(share)
    return _connected(part, matrix, graph.work, count)


def _allot(work: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Share out parts among components by largest remainder, at least one each."""
    shares = np.ones(len(work), dtype=np.intp)
    for _ in range(count - len(work)):
        shares[np.argmax(work / (shares + 0.5))] += 1
    return shares


def _metis(
    graph: BlockGraph, members: NDArray[np.intp], inner: csr_array, count: int, seed: int
) -> NDArray[np.intp]:
    if count == 1:
        return np.zeros(len(members), dtype=np.intp)
    if count >= len(members):
        return np.arange(len(members), dtype=np.intp)
    price = graph.cut_cost[inner.data - 1]
    price = price - graph.cut_cost.min()
    eweights = 1 + np.rint(1000 * price / max(price.max(), 1e-9)).astype(np.int64)
    vweights = 1 + np.rint(1e6 * graph.work[members] / graph.work[members].sum()).astype(np.int64)
    _, part = pymetis.part_graph(
        count,
        pymetis.CSRAdjacency(inner.indptr.tolist(), inner.indices.tolist()),
        vweights=vweights.tolist(),
        eweights=eweights.tolist(),
        recursive=False,
        options=pymetis.Options(seed=seed, contig=1, ufactor=30, ncuts=3),
    )
    return np.asarray(part, dtype=np.intp)


def _connected(
    part: NDArray[np.intp], matrix: csr_array, work: NDArray[np.float64], count: int
) -> NDArray[np.intp]:
    """Leave each part its heaviest connected piece, give the rest to neighbours, fill empty parts."""
    rows, columns = matrix.nonzero()
    n = len(part)
    inside = part[rows] == part[columns]
    links = coo_array((np.ones(inside.sum()), (rows[inside], columns[inside])), shape=(n, n))
    piece = connected_components(links, directed=False)[1]
    weight = np.bincount(piece, weights=work)
    order = np.lexsort((-weight[piece], part))
    main = piece[order[np.unique(part[order], return_index=True)[1]]]
    settled = np.isin(piece, main)
    while not settled.all():
        border = ~settled[rows] & settled[columns]
        if not border.any():
            break
        part[rows[border]] = part[columns[border]]
        settled[rows[border]] = True
    for empty in np.setdiff1d(np.arange(count), part):
        several = np.bincount(part, minlength=count) > 1
        heaviest = np.argmax(np.where(several, np.bincount(part, weights=work, minlength=count), -1))
        members = np.flatnonzero(part == heaviest)
        part[members[_half(csr_array(matrix[members][:, members]), work[members])]] = empty
    return part


def _half(inner: csr_array, work: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Branch of a spanning tree that comes nearest to half the work; both sides are connected."""
    order, parent = breadth_first_order(inner, 0, directed=False)
    below = work.copy()
    for node in order[:0:-1]:
        below[parent[node]] += below[node]
    root = order[1:][np.argmin(np.abs(below[order[1:]] - work.sum() / 2))]
    branch = np.zeros(len(work), dtype=bool)
    branch[root] = True
    for node in order[1:]:
        branch[node] |= branch[parent[node]]
    return branch


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]  # numba publishes no types
def _price(load: float, area: float, ax: float, ay: float, rr: float) -> float:
    over = load - _LIMIT
    price = _BALANCE * (load - 1.0) ** 2 + (_OVER * over if over > 0 else 0.0)
    return price + _SHAPE * (rr - (ax * ax + ay * ay) / area) / (area * area)


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]  # as above
def _stays_connected(indptr, nodes, part, leaving, queue, seen, mark):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917 - compiled from what it is called with
    """Whether the part of a block is still connected, and not empty, when the block leaves."""
    home, wanted, first = part[leaving], 0, -1
    for at in range(indptr[leaving], indptr[leaving + 1]):
        if part[nodes[at]] == home:
            wanted += 1
            first = nodes[at]
            seen[nodes[at]] = -mark
    if wanted < 2:
        return wanted == 1
    seen[leaving] = mark
    queue[0], head, tail, found = first, 0, 1, 1
    seen[first] = mark
    while head < tail:
        block = queue[head]
        head += 1
        for at in range(indptr[block], indptr[block + 1]):
            other = nodes[at]
            if part[other] == home and seen[other] != mark:
                if seen[other] == -mark:
                    found += 1
                    if found == wanted:
                        return True
                seen[other] = mark
                queue[tail] = other
                tail += 1
    return False


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]  # as above
def _joins(fields):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as above
    """Price of a part that holds blocks of so many fields."""
    return 0.0 if fields < 2 else _ACROSS + _FURTHER * (fields - 2)


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]  # as above
def _gather(indptr, nodes, part, field, block, most, moving, taken, mark):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917 - as above
    """Gather what of a block's part lies together with it in its field; 0 if that is more than `most`."""
    moving[0], head, tail = block, 0, 1
    taken[block] = mark
    while head < tail:
        at_block = moving[head]
        head += 1
        for at in range(indptr[at_block], indptr[at_block + 1]):
            other = nodes[at]
            if taken[other] != mark and part[other] == part[block] and field[other] == field[block]:
                if tail == most:
                    return 0
                taken[other] = mark
                moving[tail] = other
                tail += 1
    return tail


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]  # as above
def _rest_connected(indptr, nodes, part, moving, tally, left, taken, mark, queue, seen):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917 - as above
    """Whether the `left` blocks that a part keeps hang together when several leave."""
    home, start = part[moving[0]], -1
    for i in range(tally):
        for at in range(indptr[moving[i]], indptr[moving[i] + 1]):
            other = nodes[at]
            if part[other] == home and taken[other] != mark:
                start = other
    if start < 0:
        return False
    queue[0], head, tail = start, 0, 1
    seen[start] = mark
    while head < tail:
        block = queue[head]
        head += 1
        for at in range(indptr[block], indptr[block + 1]):
            other = nodes[at]
            if part[other] == home and taken[other] != mark and seen[other] != mark:
                seen[other] = mark
                queue[tail] = other
                tail += 1
    return tail == left


@njit(cache=True)  # type: ignore[untyped-decorator, unused-ignore]  # as above
def _anneal(indptr, nodes, cost, work, area, x, y, field, part, count, state, steps):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0912, PLR0915, PLR0917, C901 - one kernel, compiled from what it is called with
    n = part.size
    load, size = np.zeros(count), np.zeros(count)
    ax, ay, rr = np.zeros(count), np.zeros(count), np.zeros(count)
    many = np.zeros(count, np.int64)
    held = np.zeros((count, field.max() + 1), np.int32)
    fields = np.zeros(count, np.int64)
    for block in range(n):
        p = part[block]
        load[p] += work[block]
        size[p] += area[block]
        ax[p] += area[block] * x[block]
        ay[p] += area[block] * y[block]
        rr[p] += area[block] * (x[block] ** 2 + y[block] ** 2 + area[block] / 6.0)
        many[p] += 1
        fields[p] += held[p, field[block]] == 0
        held[p, field[block]] += 1
    queue, seen = np.empty(n, np.int64), np.zeros(n, np.int64)
    moving, taken = np.empty(n, np.int64), np.zeros(n, np.int64)
    cooling = (_COLD / _HOT) ** (1.0 / steps)
    heat = _HOT
    for step in range(1, steps + 1):
        heat *= cooling
        state ^= state << np.uint64(13)
        state ^= state >> np.uint64(7)
        state ^= state << np.uint64(17)
        block = int((state >> np.uint64(33)) % np.uint64(n))
        degree = indptr[block + 1] - indptr[block]
        if degree == 0:
            continue
        pick = int((state >> np.uint64(3)) % np.uint64(degree))
        a, b = part[block], part[nodes[indptr[block] + pick]]
        if a == b:
            continue
        tally, moving[0] = 1, block
        taken[block] = step
        if fields[a] > 1 and (state >> np.uint64(20)) % np.uint64(3) == 0:
            tally = _gather(indptr, nodes, part, field, block, _GROUP, moving, taken, step)
        if tally == 0 or tally == many[a]:
            continue
        change, w, s, mx, my, mr = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(tally):
            one = moving[i]
            for at in range(indptr[one], indptr[one + 1]):
                other = part[nodes[at]]
                if other == a:
                    if taken[nodes[at]] != step:
                        change += cost[at]
                elif other == b:
                    change -= cost[at]
            w += work[one]
            s += area[one]
            mx += area[one] * x[one]
            my += area[one] * y[one]
            mr += area[one] * (x[one] ** 2 + y[one] ** 2 + area[one] / 6.0)
        if load[a] - w <= 0 or size[a] <= s:
            continue
        f = field[block]
        fewer, more = held[a, f] == tally, held[b, f] == 0
        change += _joins(fields[a] - fewer) + _joins(fields[b] + more) - _joins(fields[a]) - _joins(fields[b])
        change += _price(load[a] - w, size[a] - s, ax[a] - mx, ay[a] - my, rr[a] - mr)
        change += _price(load[b] + w, size[b] + s, ax[b] + mx, ay[b] + my, rr[b] + mr)
        change -= _price(load[a], size[a], ax[a], ay[a], rr[a])
        change -= _price(load[b], size[b], ax[b], ay[b], rr[b])
        if change > 0:
            state ^= state << np.uint64(13)
            state ^= state >> np.uint64(7)
            state ^= state << np.uint64(17)
            if change > 20 * heat or (state >> np.uint64(11)) / 9007199254740992.0 >= np.exp(-change / heat):
                continue
        if tally == 1:
            if not _stays_connected(indptr, nodes, part, block, queue, seen, step):
                continue
        elif not _rest_connected(
            indptr, nodes, part, moving, tally, many[a] - tally, taken, step, queue, seen
        ):
            continue
        for i in range(tally):
            part[moving[i]] = b
        held[a, f] -= tally
        held[b, f] += tally
        fields[a] -= fewer
        fields[b] += more
        for p, sign in ((a, -1.0), (b, 1.0)):
            many[p] += int(sign) * tally
            load[p] += sign * w
            size[p] += sign * s
            ax[p] += sign * mx
            ay[p] += sign * my
            rr[p] += sign * mr
