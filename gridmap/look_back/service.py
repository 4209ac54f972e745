"""Drawing closed problems to be looked at again, and keeping what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import exists, func, select

from gridmap.errors import ConflictError, InvalidValueError
from gridmap.look_back.models import CheckTask, LookBackSample
from gridmap.look_back.rules import draw, hand_out
from gridmap.people.logins import actor_of
from gridmap.people.models import Login, Person
from gridmap.people.permissions import Permission
from gridmap.problems.limits import inside
from gridmap.problems.models import Category, Event, Problem, State
from gridmap.store.bulk import insert_rows
from gridmap.store.extract import read_columns
from gridmap.store.selection import among
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    import uuid
    from datetime import date, datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.people.permissions import Actor, Scope

__all__ = [
    "MOST",
    "Plan",
    "Wish",
    "draw_sample",
    "plan_sample",
    "verifiers",
]

MOST = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be drawn.

    Parameters
    ----------
    closed_from, closed_until
        Problems closed from the one (inclusive) to the other (exclusive).
    size
        How many.
    seed
        Of the drawing.
    due_at
        Until when they must have been looked at.
    people
        Uids of those who are to look; empty: everybody who may.
    """

    closed_from: datetime
    closed_until: datetime
    size: int
    seed: int
    due_at: datetime
    people: tuple[uuid.UUID, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A drawing that has not been done yet.

    Attributes
    ----------
    strata
        Id of the major category and of the area (-1: none), the candidates there and how many are drawn.
    problems, people
        Ids of the problems drawn and of who is to look at each, -1 for nobody, shape (n,).
    candidates
        How many problems it is drawn from.
    """

    strata: list[tuple[int, int, int, int]]
    problems: NDArray[np.int64]
    people: NDArray[np.int64]
    candidates: int

    @property
    def fingerprint(self) -> str:
        """Short text that differs when the drawing does."""
        said = self.problems.tobytes() + self.people.tobytes()
        return hashlib.blake2b(said, digest_size=8).hexdigest()


def plan_sample(session: Session, actor: Actor, wish: Wish, *, now: datetime, today: date) -> Plan:
    """Draw, without writing anything; the same wish draws the same as long as nothing is closed or reopened.

    Parameters
    ----------
    session
        Any.
    actor
        Draws only among what lies in their scope.
    wish
        What is to be drawn.
    now, today
        Time and day on which people must be in force.

    Raises
    ------
    PermissionDeniedError
        If the actor may not plan look-backs.
    InvalidValueError
        If the wish cannot be met.
    """
    scope = actor.scope(Permission.LOOK_BACK_PLAN)
    _check(wish, now)
    rows = _candidates(session, scope, wish)
    stratum = rows["major"] * (1 << 32) + (rows["area_id"] + 1)
    drawn = draw(stratum, wish.size, wish.seed) if len(stratum) else np.zeros(0, dtype=np.intp)
    codes, of = np.unique(stratum, return_inverse=True)
    there = np.bincount(of, minlength=len(codes))
    taken = np.bincount(of[drawn], minlength=len(codes))
    strata = [
        (int(code >> 32), int(code & ((1 << 32) - 1)) - 1, int(n), int(k))
        for code, n, k in zip(codes, there, taken, strict=True)
    ]
    chosen = {name: values[drawn] for name, values in rows.items()}
    return Plan(strata, chosen["id"], _lookers(session, wish, chosen, today=today), len(stratum))


def _check(wish: Wish, now: datetime) -> None:
    if not 1 <= wish.size <= MOST:
        raise InvalidValueError(
            "Expected a whole number from 1 to {most}; found {found}.",
            parameter="size",
            most=MOST,
            found=wish.size,
        )
    if wish.closed_until <= wish.closed_from:
        raise InvalidValueError("Expected the last day not to be before the first.", parameter="until")
    if wish.due_at <= now:
        raise InvalidValueError(
            "Expected a time in the future; found {found}.", parameter="due", found=wish.due_at.isoformat()
        )
    if not 0 <= wish.seed < 2**63:
        raise InvalidValueError("Expected a number of at least 0 as the seed.", parameter="seed")


def _candidates(session: Session, scope: Scope, wish: Wish) -> dict[str, NDArray[Any]]:
    """Closed problems that have not been looked at since, in ascending order of their numbers."""
    looked_at = exists().where(
        CheckTask.problem_id == Problem.id,
        CheckTask.done_at.is_(None) | (CheckTask.done_at >= Problem.closed_at),
    )
    query = (
        select(
            Problem.id,
            Problem.area_id,
            Problem.organisation_id,
            Problem.fixed_by_id,
            func.coalesce(Category.parent_id, Category.id).label("major"),
        )
        .join(Category, Category.id == Problem.category_id)
        .where(
            Problem.state == State.CLOSED,
            Problem.closed_at >= wish.closed_from,
            Problem.closed_at < wish.closed_until,
            inside(scope),
            ~looked_at,
        )
    )
    rows = read_columns(session, query)
    order = np.argsort(rows["id"])
    return {name: values[order] for name, values in rows.items()}


def verifiers(session: Session, today: date) -> list[tuple[Person, Scope]]:
    """People in force whose login lets them look at closed problems, with where it does, by name."""
    query = (
        select(Login, Person)
        .join(Person, Person.id == Login.person_id)
        .where(Login.disabled.is_(False), Person.in_force(today))
    )
    found = []
    for login, person in session.execute(query.order_by(Person.name, Login.id)):
        who = actor_of(session, login.id, login.session_epoch)
        if who is not None and who.may(Permission.PROBLEM_VERIFY):
            found.append((person, who.scope(Permission.PROBLEM_VERIFY)))
    return found


def _lookers(
    session: Session, wish: Wish, rows: dict[str, NDArray[Any]], *, today: date
) -> NDArray[np.int64]:
    """Who looks at each problem: not who fixed it, and rather not who verified it."""
    people = [(p, s) for p, s in verifiers(session, today) if not wish.people or p.uid in wish.people]
    ids = np.array([person.id for person, _ in people], dtype=np.int64)
    covers = [scope.covers_each(rows["area_id"], rows["organisation_id"]) for _, scope in people]
    may = np.array(covers, dtype=bool).reshape(len(people), len(rows["id"])).T
    may &= rows["fixed_by_id"][:, None] != ids[None, :]
    verified_by = _verified_by(session, rows["id"])
    turn = hand_out(may, verified_by[:, None] != ids[None, :])
    return np.where(turn < 0, -1, ids[turn]) if len(ids) else np.full(len(turn), -1, dtype=np.int64)


def _verified_by(session: Session, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Who last verified each problem, -1 if nobody has; shape (n,)."""
    last = (
        select(func.max(Event.id))
        .where(Event.action == Action.VERIFY.value, among(session, Event.problem_id, numbers))
        .group_by(Event.problem_id)
    )
    found = dict(session.execute(select(Event.problem_id, Event.person_id).where(Event.id.in_(last))).all())
    return np.array([found.get(number) or -1 for number in numbers.tolist()], dtype=np.int64)


def draw_sample(
    session: Session, actor: Actor, wish: Wish, *, seen: str, now: datetime, today: date
) -> LookBackSample:
    """Draw a sample and make every problem in it a check.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor, wish, now, today
        As for `plan_sample`.
    seen
        `Plan.fingerprint` of what the actor saw.

    Raises
    ------
    PermissionDeniedError, InvalidValueError
        As for `plan_sample`; also if there is nothing to draw.
    ConflictError
        If something was closed or reopened meanwhile, so that others would be drawn.
    """
    plan = plan_sample(session, actor, wish, now=now, today=today)
    if not len(plan.problems):
        raise InvalidValueError("No problem closed in this time is left to look at again.", parameter="size")
    if plan.fingerprint != seen:
        raise ConflictError("Problems were closed or reopened meanwhile. Look at the sample again, please.")
    sample = LookBackSample(
        seed=wish.seed,
        size=wish.size,
        closed_from=wish.closed_from,
        closed_until=wish.closed_until,
        candidates=plan.candidates,
        due_at=wish.due_at,
        actor=actor.name,
        login_id=actor.login_id,
        at=now,
    )
    session.add(sample)
    session.flush()
    insert_rows(
        session,
        CheckTask,
        {
            "sample_id": np.full(len(plan.problems), sample.id),
            "problem_id": plan.problems,
            "person_id": plan.people,
            "due_at": wish.due_at,
        },
    )
    return sample
