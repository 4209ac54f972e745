"""Barriers and turn restrictions: sequences of arcs that may not be used, and a graph without them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geodata.travel import Profile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Turn = tuple[int, ...]

__all__ = ["ExpandedGraph", "TurnRule", "expand", "forbidden_turns"]

_LONGEST_VIA = 60


@dataclass(frozen=True, slots=True)
class TurnRule:
    """A barrier or a turn restriction.

    Parameters
    ----------
    kind
        ``barrier``, or as OpenStreetMap says it: ``no_left_turn``, ``only_straight_on``, …
    lon, lat
        The barrier; the junction at which the restriction begins, degrees.
    profiles
        Whom it binds.
    from_ref, to_ref
        The streets from which and into which it is about.
    via_refs
        Streets between them, in order, where it is not about one junction.
    """

    kind: str
    lon: float
    lat: float
    profiles: frozenset[Profile]
    from_ref: str = ""
    to_ref: str = ""
    via_refs: tuple[str, ...] = ()


class _Arcs:
    """Arcs that may be used, at their nodes."""

    def __init__(
        self,
        first_node: NDArray[np.int64],
        last_node: NDArray[np.int64],
        ref: NDArray[np.str_],
        speed: NDArray[np.float64],
    ) -> None:
        self.tails = np.column_stack([first_node, last_node]).reshape(-1)
        self.ref = ref
        self.leaving: defaultdict[int, list[int]] = defaultdict(list)
        self.arriving: defaultdict[int, list[int]] = defaultdict(list)
        for arc in np.flatnonzero(speed > 0).tolist():
            self.leaving[int(self.tails[arc])].append(arc)
            self.arriving[int(self.tails[arc ^ 1])].append(arc)

    def of(self, arcs: Iterable[int], ref: str) -> list[int]:
        return [arc for arc in arcs if self.ref[arc >> 1] == ref]

    def forbidden(self, rule: TurnRule, node: int) -> Iterator[Turn]:
        if rule.kind == "barrier":
            yield from ((a, b) for a in self.arriving[node] for b in self.leaving[node] if b != a ^ 1)
            return
        for start in self.of(self.arriving[node], rule.from_ref):
            for way in self._ways_via((start,), node, rule.via_refs):
                there = int(self.tails[way[-1] ^ 1])
                into = self.of(self.leaving[there], rule.to_ref)
                if rule.from_ref == rule.to_ref and len(way) == 1:
                    back = rule.kind == "no_u_turn"
                    into = [arc for arc in into if (arc == start ^ 1) is back]
                if rule.kind.startswith("no_"):
                    yield from ((*way, arc) for arc in into)
                elif into:
                    yield from ((*way, arc) for arc in self.leaving[there] if arc not in into)

    def _ways_via(self, way: Turn, node: int, refs: tuple[str, ...]) -> Iterator[Turn]:
        if not refs:
            yield way
            return
        if len(way) > _LONGEST_VIA:
            return
        for arc in self.of(self.leaving[node], refs[0]):
            if arc ^ 1 not in way and arc not in way:
                there = int(self.tails[arc ^ 1])
                yield from self._ways_via((*way, arc), there, refs[1:])
                yield from self._ways_via((*way, arc), there, refs)


def forbidden_turns(
    rules: Sequence[tuple[TurnRule, int]],
    *,
    first_node: NDArray[np.int64],
    last_node: NDArray[np.int64],
    ref: NDArray[np.str_],
    speed: dict[Profile, NDArray[np.float64]],
) -> dict[Profile, tuple[Turn, ...]]:
    """Turn rules, each at its node, into sequences of arcs that may not follow each other.

    Rules that name streets which do not meet, or that forbid what is closed anyway, forbid nothing.

    Parameters
    ----------
    rules
        Each with the node it stands at.
    first_node, last_node, ref
        Of each edge: its ends, and its street's name, shape (m,).
    speed
        Along each arc, shape (2m,).
    """
    turns: dict[Profile, tuple[Turn, ...]] = {}
    for profile in Profile:
        binding = [(rule, node) for rule, node in rules if profile in rule.profiles]
        arcs = _Arcs(first_node, last_node, ref, speed[profile]) if binding else None
        found = {turn for rule, node in binding if arcs for turn in arcs.forbidden(rule, node)}
        turns[profile] = tuple(sorted(found))
    return turns


@dataclass(frozen=True, slots=True, eq=False)
class ExpandedGraph:
    """A graph in which every way is allowed: before a forbidden turn one stands at a node of its own.

    Attributes
    ----------
    node
        Junction of each node; the first ones are the junctions themselves. Shape (k,).
    arc
        Which arc each of its arcs is, shape (a,).
    tail, head
        Nodes of its arcs, shape (a,).
    arrival
        Node reached by whoever comes along an arc, by arc, -1 where it may not be used; shape (2m,).
    """

    node: NDArray[np.int64]
    arc: NDArray[np.int64]
    tail: NDArray[np.int64]
    head: NDArray[np.int64]
    arrival: NDArray[np.int64]


def expand(
    tails: NDArray[np.int64], open_arcs: NDArray[np.bool_], turns: Sequence[Turn], nodes: int
) -> ExpandedGraph:
    """Take forbidden sequences out of a graph (an Aho-Corasick automaton over its arcs).

    Parameters
    ----------
    tails
        Node at which each arc begins, shape (2m,); ``arc ^ 1`` is its other direction.
    open_arcs
        Which arcs may be used, shape (2m,).
    turns
        Sequences of arcs that may not follow each other.
    nodes
        How many there are.
    """
    heads = tails.reshape(-1, 2)[:, ::-1].reshape(-1)
    forbidden = set(turns)
    prefixes = sorted({turn[:n] for turn in forbidden for n in range(1, len(turn))})
    state = {prefix: nodes + i for i, prefix in enumerate(prefixes)}

    def after(way: Turn) -> int:
        for start in range(len(way)):
            if way[start:] in state:
                return state[way[start:]]
        return int(heads[way[-1]])

    arc = np.flatnonzero(open_arcs)
    head = heads[arc].copy()
    first = np.array(sorted({prefix[0] for prefix in prefixes}), dtype=np.int64)
    head[np.searchsorted(arc, first)] = [after((a,)) for a in first.tolist()]
    arrival = np.full(len(tails), -1, dtype=np.int64)
    arrival[arc] = head

    by_tail = np.argsort(tails[arc], kind="stable")
    cut = np.searchsorted(tails[arc][by_tail], np.arange(nodes + 1))
    more: list[tuple[int, int, int]] = []
    for prefix, here in state.items():
        at = int(heads[prefix[-1]])
        for one in arc[by_tail[cut[at] : cut[at + 1]]].tolist():
            way = (*prefix, one)
            if not any(way[start:] in forbidden for start in range(len(way) - 1)):
                more.append((one, here, after(way)))
    extra = np.array(more, dtype=np.int64).reshape(-1, 3)
    return ExpandedGraph(
        node=np.concatenate([np.arange(nodes), heads[[p[-1] for p in prefixes]].astype(np.int64)]),
        arc=np.concatenate([arc, extra[:, 0]]),
        tail=np.concatenate([tails[arc], extra[:, 1]]),
        head=np.concatenate([head, extra[:, 2]]),
        arrival=arrival,
    )
