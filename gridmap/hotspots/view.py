"""What a reader asked to see, and which problems that is: every count, tile and picture goes through here.

The reader's scope is part of what is counted, so nothing outside it can show in a sum, a scale or a picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geodata.point_columns import NEVER, PointFilter
from gridmap.errors import InvalidValueError
from gridmap.hotspots.loading import LAST_SECOND, SOURCES, STATES, UNRESOLVED
from gridmap.hotspots.snapshot import DOUBTFUL, Pairs, Snapshot

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

    from gridmap.people.permissions import Scope
    from gridmap.places.directory import Directory, OrganisationEntry
    from gridmap.problems.models import Source, State

__all__ = ["View", "ViewFilter", "open_view", "organisations_in_sight"]

_DAY = 86_400
_MINUTE = 60
_RESOLVED = frozenset(range(len(STATES))) - UNRESOLVED


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewFilter:
    """What somebody asked to see; a plain value, the default being what is unresolved and not doubtful.

    Parameters
    ----------
    categories
        Codes; a major one stands for its minor ones. None: all.
    states
        None: all of them; empty: the unresolved ones.
    overdue
        Only what was open and past its due time.
    age_min, age_max
        Days since it was found, inclusive.
    sources
        None: all.
    area, organisation
        Uids; an area counts with everything below it.
    since, until
        Found in ``[since, until)``.
    at
        As of that moment: found by then and not closed by then, whatever has become of it since.
    doubtful
        Include what is flagged for its place or its times.
    """

    categories: frozenset[str] | None = None
    states: frozenset[State] | None = frozenset()
    overdue: bool = False
    age_min: float | None = None
    age_max: float | None = None
    sources: frozenset[Source] | None = None
    area: str | None = None
    organisation: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    at: datetime | None = None
    doubtful: bool = False

    @property
    def free_state(self) -> bool:
        """Whether no state was picked one by one."""
        return not self.states

    @property
    def moves_with_time(self) -> bool:
        """Whether other problems may match a minute later, although nothing was changed."""
        return self.at is None and (self.overdue or self.age_min is not None or self.age_max is not None)


@dataclass(frozen=True, slots=True)
class _Facets:
    """A filter in parts, so that one of them can be left out."""

    categories: frozenset[int] | None
    states: frozenset[int] | None
    sources: frozenset[int] | None
    area: NDArray[np.bool_] | None
    organisation: NDArray[np.bool_] | None
    seen: NDArray[np.bool_]
    rest: PointFilter


@dataclass(frozen=True, eq=False)
class View:
    """The problems of one snapshot that a filter and a scope let through, at one moment.

    Attributes
    ----------
    snapshot
        Where they come from.
    asked
        The filter.
    moment
        Seconds since 1970 UTC at which age and overdue are judged: the filter's `at`, or the current minute.
    """

    snapshot: Snapshot
    asked: ViewFilter
    moment: int
    _facets: _Facets
    _kept: dict[PointFilter, NDArray[np.int64]] = field(default_factory=dict, repr=False)

    @cached_property
    def chosen(self) -> PointFilter:
        """The whole filter for kernels, scope included."""
        return self._without()

    @cached_property
    def rows(self) -> NDArray[np.int64]:
        """Positions in the snapshot, ascending."""
        return self.rows_of(self.chosen)

    @cached_property
    def codes(self) -> NDArray[np.uint64]:
        """Morton codes of `rows`, ascending."""
        codes: NDArray[np.uint64] = self.snapshot.points.rows.code[self.rows]
        return codes

    def overdue(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether rows are past their due time and not resolved, at the view's moment; shape of `rows`."""
        points = self.snapshot.points.rows
        closed = points.closed[rows]
        # What is resolved now is not overdue now, even if its closing time is said to lie ahead.
        still_open = closed == NEVER if self.asked.at is None else closed > self.moment
        late: NDArray[np.bool_] = still_open & (points.due[rows] < self.moment)
        return late

    def rows_of(self, chosen: PointFilter) -> NDArray[np.int64]:
        """Positions that a filter made from this view lets through, ascending."""
        if chosen not in self._kept:
            self._kept[chosen] = np.flatnonzero(self.snapshot.points.weigh(chosen))
        return self._kept[chosen]

    def without(self, facet: str) -> NDArray[np.int64]:
        """Positions when one part of the filter is left out: what its own choices are counted over.

        Parameters
        ----------
        facet
            ``category``, ``state``, ``source``, ``area``, ``organisation``, ``time`` (since, until and at;
            with it the state, unless states were picked) or ``doubt``.
        """
        return self.rows_of(self._without(facet))

    def _without(self, facet: str = "") -> PointFilter:
        facets = self._facets
        pairs = facets.seen
        if facets.area is not None and facet != "area":
            pairs = pairs & facets.area
        if facets.organisation is not None and facet != "organisation":
            pairs = pairs & facets.organisation
        chosen = replace(
            facets.rest,
            categories=None if facet == "category" else facets.categories,
            states=self._states_without(facet),
            sources=None if facet == "source" else facets.sources,
            allowed_areas=None if pairs.all() else frozenset(np.flatnonzero(pairs).tolist()),
        )
        if facet == "doubt":
            return replace(chosen, excluded_flags=0)
        if facet == "time":
            return replace(
                chosen,
                opened_from=self._age_bounds[0],
                opened_until=self._age_bounds[1],
                open_at=chosen.open_at if self.asked.overdue else None,
            )
        return chosen

    def _states_without(self, facet: str) -> frozenset[int] | None:
        unpicked = facet == "state" or (facet == "time" and self.asked.free_state)
        if not unpicked:
            return self._facets.states
        return UNRESOLVED if self.asked.overdue and self.asked.at is None else None

    @cached_property
    def _age_bounds(self) -> tuple[int | None, int | None]:
        return _age_bounds(self.asked, self.moment)


def open_view(
    asked: ViewFilter, *, snapshot: Snapshot, directory: Directory, scope: Scope, now: datetime
) -> View:
    """Say which problems somebody sees.

    Parameters
    ----------
    asked
        The filter.
    snapshot, directory
        What there is.
    scope
        Where the reader may read problems.
    now
        Of which the minute counts, so that answers can be remembered that long.

    Raises
    ------
    InvalidValueError
        If the filter names a category, area or organisation that there is not, or that lies out of sight.
    """
    moment = int(now.timestamp()) // _MINUTE * _MINUTE if asked.at is None else int(asked.at.timestamp())
    pairs = snapshot.pairs
    seen = pairs.seen_by(scope)
    area = organisation = None
    if asked.area is not None:
        found = directory.areas.find(asked.area)
        if found is None or not (scope.areas is None or found.id in scope.areas):
            raise InvalidValueError("There is no area {found}.", parameter="area", found=asked.area)
        area = pairs.within(areas=directory.below(found.id))
    if asked.organisation is not None:
        body = directory.organisations.find(asked.organisation)
        if body is None or body not in organisations_in_sight(pairs, scope, directory):
            raise InvalidValueError(
                "There is no organisation {found}.", parameter="organisation", found=asked.organisation
            )
        organisation = pairs.within(organisations=frozenset({body.id}))
    opened_from, opened_until = _age_bounds(asked, moment)
    if asked.since is not None:
        opened_from = max(opened_from or 0, _ceil(asked.since))
    if asked.until is not None:
        opened_until = min(opened_until or LAST_SECOND, _ceil(asked.until))
    rest = PointFilter(
        excluded_flags=0 if asked.doubtful else DOUBTFUL,
        opened_from=opened_from,
        opened_until=opened_until,
        open_at=None if asked.at is None else moment,
        overdue_at=moment if asked.overdue else None,
    )
    facets = _Facets(
        categories=_category_ids(asked.categories, directory),
        states=_state_positions(asked),
        sources=None if asked.sources is None else frozenset(SOURCES.index(s.value) for s in asked.sources),
        area=area,
        organisation=organisation,
        seen=seen,
        rest=rest,
    )
    return View(snapshot, asked, moment, facets)


def organisations_in_sight(pairs: Pairs, scope: Scope, directory: Directory) -> list[OrganisationEntry]:
    """Organisations that a reader may know: within their limits, or answering for a problem they see."""
    if scope.everywhere:
        return list(directory.organisations)
    known = set(pairs.organisations[pairs.seen_by(scope)].tolist())
    known.update(*(holding.organisations or () for holding in scope.holdings))
    return [one for one in directory.organisations if one.id in known or scope.covers(one.area, one.id)]


def _age_bounds(asked: ViewFilter, moment: int) -> tuple[int | None, int | None]:
    """Times of finding, half-open, that the ages mean."""
    first = None if asked.age_max is None else max(int(np.ceil(moment - asked.age_max * _DAY)), 0)
    last = None if asked.age_min is None else max(int(np.floor(moment - asked.age_min * _DAY)) + 1, 0)
    return first, last


def _ceil(time: datetime) -> int:
    """Whole seconds, rounded up: what is stored is rounded down."""
    return min(max(int(np.ceil(time.timestamp())), 0), LAST_SECOND)


def _category_ids(codes: frozenset[str] | None, directory: Directory) -> frozenset[int] | None:
    if codes is None:
        return None
    wanted = set()
    for code in codes:
        category = directory.category(code)
        if category is None:
            raise InvalidValueError("There is no category {found}.", parameter="category", found=code)
        wanted.add(category.id)
    majors = set(wanted)
    wanted.update(category.id for category in directory.categories if category.parent in majors)
    return frozenset(wanted)


def _state_positions(asked: ViewFilter) -> frozenset[int] | None:
    if asked.states:
        picked = frozenset(STATES.index(state) for state in asked.states)
        # What is resolved now cannot be overdue now.
        return picked - _RESOLVED if asked.overdue and asked.at is None else picked
    if asked.at is not None:
        return None
    return UNRESOLVED if asked.states is not None or asked.overdue else None
