"""Lines of the histories of problems as a list of their own, for whoever follows what happens."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.events import read_events
from gridmap.problems.models import EventKind
from web.access import needs
from web.api.answering import Body, answers, as_json, directory
from web.api.blueprint import PROBLEMS, api
from web.api.models import Answer
from web.api.parameters import Query, Time, list_of
from web.api.places import close_cursor, open_cursor
from web.api.problem_models import HistoryEvent
from web.installation import actor, db, installation

_MINUTE = 60

Kinds = Annotated[
    frozenset[str] | None, BeforeValidator(list_of(EventKind)), WithJsonSchema({"type": "string"})
]


class EventsQuery(Query):
    """Which lines."""

    since: Time | None = Field(None, description="Written at this time or later; a date is its midnight")
    kind: Kinds = Field(None, description="Kinds with commas between")
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=400, description="`next` of an earlier page")


class ProblemOfEvent(Answer):
    """The problem that a line belongs to."""

    uid: str
    number: int


class ListedEvent(HistoryEvent):
    """One line of a problem's history, with its problem."""

    problem: ProblemOfEvent


class EventList(Answer):
    """A page of lines, in the order in which they were written."""

    events: list[ListedEvent]
    more: bool = Field(description="Whether others follow now")
    next: str | None = Field(
        description="Cursor of what is written after these; on the last page, of what is still to come"
    )


@api.get("/events", tags=[PROBLEMS], responses={"200": EventList})
@needs(Permission.PROBLEM_READ)
@answers(of="problems", seconds=_MINUTE)
def events(query: EventsQuery) -> Body:
    """List what happened to the problems in sight, oldest first; going on from `next` misses nothing."""
    since = query.since
    if since is not None and since.tzinfo is None:
        since = since.replace(tzinfo=installation().settings.zone)
    after = open_cursor("events", query.cursor)
    page = read_events(
        db(),
        faces=Faces(directory(), actor()),
        scope=actor().scope(Permission.PROBLEM_READ),
        since=since,
        kinds=None if query.kind is None else frozenset(map(EventKind, query.kind)),
        after=after,
        limit=query.limit,
    )
    following = close_cursor("events", page.last) if page.last else None
    return as_json(EventList, {"events": page.rows, "more": page.more, "next": following})
