"""Steps in problems' lives: one problem, many, and taking back."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import numpy as np
from flask import Response, abort, request
from pydantic import ValidationError
from sqlalchemy import select

from gridmap.errors import ConflictError, InvalidValueError, NotFoundError
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.editing import edit_problem
from gridmap.problems.models import Problem
from gridmap.store.engine import reading, writing
from gridmap.workflow.rules import REFUSALS, Verdict
from gridmap.workflow.service import preview, take
from gridmap.workflow.single import hold_one, take_one
from gridmap.workflow.undo import preview_undo, undo
from web.access import needs
from web.api.answering import as_json, directory, now, view_of
from web.api.blueprint import PROBLEMS, api
from web.api.models import Fault
from web.api.parameters import UidPath, VersionHeader
from web.api.problem_models import ProblemDetail, StaleFault
from web.api.problems import rows_of, told
from web.api.step_models import BulkOutcome, BulkStep, Corrections, NewStep, StepTaken, UndoneAnswer
from web.errors import validation_failed
from web.installation import actor, installation

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydantic import BaseModel

    from gridmap.workflow.service import Outcome
    from gridmap.workflow.undo import Undone

_MOST = 50_000
_SHOWN = 20


def _answer(model: type[BaseModel], content: dict[str, Any]) -> Response:
    body = as_json(model, content)
    return Response(body.content, content_type=body.kind)


def version_expected() -> frozenset[str] | None:
    """Versions of the problem that a request is meant for, from ``If-Match``; None: any.

    A weak tag names none, as it may stand for several.
    """
    tags = request.if_match
    if not tags or tags.star_tag:
        return None
    return frozenset(tag.partition(".")[0] for tag in tags.as_set())


@api.post(
    "/problems/<uid>/steps",
    tags=[PROBLEMS],
    responses={"200": StepTaken, "404": Fault, "409": Fault, "412": StaleFault},
)
@needs(Permission.PROBLEM_READ)
def take_step(path: UidPath, header: VersionHeader, body: NewStep) -> Response:  # noqa: ARG001 - declared
    """Take a step with one problem; ``If-Match`` with its ETag refuses (412) where it has changed since."""
    settings = installation().settings
    faces = Faces(directory(), actor())
    with writing(installation().engine) as session:
        number, batch = take_one(
            session,
            actor(),
            uuid.UUID(path.uid),
            body.step(settings.zone),
            faces=faces,
            settings=settings,
            now=now(),
            expected=version_expected(),
        )
        batch_uid = str(batch.uid)
    with reading(installation().engine) as session:
        problem = told(session, number)
    return _answer(StepTaken, {"batch": batch_uid, "problem": problem})


@api.patch(
    "/problems/<uid>",
    tags=[PROBLEMS],
    responses={"200": ProblemDetail, "404": Fault, "409": Fault, "412": StaleFault},
)
@needs(Permission.PROBLEM_CHECK)
def correct(path: UidPath, header: VersionHeader, body: Corrections) -> Response:  # noqa: ARG001 - declared
    """Put a problem's record right; ``If-Match`` with its ETag refuses (412) where it has changed since."""
    settings = installation().settings
    with writing(installation().engine) as session:
        number = hold_one(
            session,
            actor(),
            uuid.UUID(path.uid),
            faces=Faces(directory(), actor()),
            expected=version_expected(),
        )
        problem = session.get_one(Problem, number)
        edit_problem(session, actor(), problem, body.correction(), settings=settings, now=now())
    with reading(installation().engine) as session:
        found = told(session, number)
    if found is None:
        raise NotFoundError("There is no such problem, or it lies outside what you may see.")
    return _answer(ProblemDetail, found)


@api.post("/problems/steps", tags=[PROBLEMS], responses={"200": BulkOutcome, "409": Fault})
@needs(Permission.PROBLEM_READ)
def take_steps(body: BulkStep) -> Response:
    """Take a step with every problem of a list where it may be taken, or say beforehand where that is."""
    settings = installation().settings
    step = body.step.step(settings.zone)
    numbers = _numbers(body)
    missing = 0 if body.uids is None else len(set(body.uids)) - len(numbers)
    if body.preview:
        with reading(installation().engine) as session:
            outcome = preview(session, actor(), numbers, step, settings=settings, now=now())
        return _outcome(outcome, missing)
    with writing(installation().engine) as session:
        outcome = take(session, actor(), numbers, step, settings=settings, now=now())
        if body.expected is not None and len(outcome.taken) != body.expected:
            raise ConflictError(
                "The list has changed: the step would now be taken on {found} problems, not on {expected}. "
                "Nothing was done.",
                found=len(outcome.taken),
                expected=body.expected,
            )
        if body.seen is not None and outcome.seen != body.seen:
            raise ConflictError(
                "The list has changed: the step would now be taken on other problems than you have seen, or "
                "some have changed since. Nothing was done."
            )
        return _outcome(outcome, missing)


def _outcome(outcome: Outcome, missing: int) -> Response:
    """Tell what came of a step; of what was named and is not there, only how many."""
    refused = [
        {
            "reason": gettext(REFUSALS[verdict]),
            "code": verdict.name.lower(),
            "count": len(numbers),
            "numbers": numbers[:_SHOWN].tolist(),
        }
        for verdict, numbers in outcome.refused().items()
    ]
    if missing:
        reason = gettext(REFUSALS[Verdict.NOT_THERE])
        refused.append({"reason": reason, "code": "not_there", "count": missing, "numbers": []})
    batch = outcome.batch and str(outcome.batch.uid)
    return _answer(
        BulkOutcome, {"taken": len(outcome.taken), "refused": refused, "seen": outcome.seen, "batch": batch}
    )


def _numbers(body: BulkStep) -> NDArray[np.int64]:
    """Case numbers that a request names, or that match its filter and the reader may see."""
    if body.uids is not None:
        with reading(installation().engine) as session:
            rows = session.execute(
                select(Problem.id, Problem.area_id, Problem.organisation_id).where(Problem.uid.in_(body.uids))
            ).all()
        # What lies outside is as what is not there: not even its number is told.
        scope = actor().scope(Permission.PROBLEM_READ)
        found = [number for number, area, organisation in rows if scope.covers(area, organisation)]
        return np.array(found, dtype=np.int64)
    try:
        query = body.query()
    except ValidationError as error:
        abort(validation_failed(error))
    view = view_of(query)
    numbers = view.snapshot.number[rows_of(view, query)]
    if len(numbers) > _MOST:
        raise InvalidValueError(
            "Expected at most {most} problems at once; found {found}. Narrow the filter.",
            parameter="filter",
            most=_MOST,
            found=len(numbers),
        )
    return np.asarray(numbers, dtype=np.int64)


@api.get("/batches/<uid>/undo", tags=[PROBLEMS], responses={"200": UndoneAnswer, "404": Fault, "409": Fault})
@needs(Permission.PROBLEM_READ)
def undo_preview(path: UidPath) -> Response:
    """Say on how many problems a step would be taken back."""
    with reading(installation().engine) as session:
        return _undone(preview_undo(session, actor(), uuid.UUID(path.uid), now=now()))


@api.post("/batches/<uid>/undo", tags=[PROBLEMS], responses={"200": UndoneAnswer, "404": Fault, "409": Fault})
@needs(Permission.PROBLEM_READ)
def undo_step(path: UidPath) -> Response:
    """Take a step back on every problem that has not moved on since."""
    with writing(installation().engine) as session:
        undone = undo(session, actor(), uuid.UUID(path.uid), now=now())
    return _undone(undone)


def _undone(undone: Undone) -> Response:
    moved_on = undone.moved_on[:_SHOWN].tolist()
    return _answer(UndoneAnswer, {"undone": len(undone.numbers), "moved_on": moved_on})
