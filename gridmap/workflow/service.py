"""Taking a step with one problem or with many, and taking it back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from gridmap.deadlines.limits import load_limits
from gridmap.deadlines.stages import stage_due
from gridmap.errors import InvalidValueError
from gridmap.evidence.queries import brings_after_photo, lacking_after_photo
from gridmap.evidence.service import tie
from gridmap.look_back.answers import answer_checks
from gridmap.people.permissions import Permission
from gridmap.problems.models import Batch, Problem
from gridmap.store.bulk_update import update_rows
from gridmap.store.clock import next_change
from gridmap.workflow.changes import changes
from gridmap.workflow.history import write_history
from gridmap.workflow.links import find_other, hold_with_other, merge, part
from gridmap.workflow.lives import read_lives
from gridmap.workflow.recipients import recipients, with_time
from gridmap.workflow.requests import ask, decide
from gridmap.workflow.rules import Verdict, judge
from gridmap.workflow.step import check_step
from gridmap.workflow.transitions import ASKING, DISPATCHES, TRANSITIONS, Action, Need

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import ArrayLike, NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.people.permissions import Actor
    from gridmap.workflow.changes import Given
    from gridmap.workflow.lives import Lives
    from gridmap.workflow.step import Step

__all__ = ["Outcome", "lacks_photo", "preview", "take"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What came of a step.

    Attributes
    ----------
    numbers
        Case numbers asked for, each once, ascending, int64, shape (n,).
    verdicts
        Values of `Verdict`, int8, shape (n,).
    changes
        Which version of each was judged (`Problem.change`), int64, shape (n,); -1 of what is not there.
    batch
        The record by which the step can be taken back; None where it was taken nowhere.
    """

    numbers: NDArray[np.int64]
    verdicts: NDArray[np.int8]
    changes: NDArray[np.int64]
    batch: Batch | None = None

    @property
    def taken(self) -> NDArray[np.int64]:
        """Case numbers on which the step was, or may be, taken."""
        return np.asarray(self.numbers[self.verdicts == Verdict.ALLOWED])

    @property
    def seen(self) -> str:
        """Digest of the problems on which the step was, or may be, taken, each as it was judged."""
        allowed = self.verdicts == Verdict.ALLOWED
        what = np.stack([self.numbers[allowed], self.changes[allowed]]).astype("<i8")
        return hashlib.blake2b(what.tobytes(), digest_size=16).hexdigest()

    def refused(self) -> dict[Verdict, NDArray[np.int64]]:
        """Case numbers by what stood in the way."""
        return {
            verdict: self.numbers[self.verdicts == verdict]
            for verdict in Verdict
            if verdict is not Verdict.ALLOWED and (self.verdicts == verdict).any()
        }


def preview(
    session: Session, actor: Actor, numbers: ArrayLike, step: Step, *, settings: Settings, now: datetime
) -> Outcome:
    """Say on which problems a step may be taken, and what stands in the way on the others.

    Raises
    ------
    PermissionDeniedError
        If the actor may take this step nowhere.
    InvalidValueError
        If the step lacks something it needs, or names what there is not.
    """
    wanted = np.unique(np.asarray(numbers, dtype=np.int64))
    return _judged(session, actor, wanted, read_lives(session, wanted), step, settings=settings, now=now)[0]


def take(
    session: Session, actor: Actor, numbers: ArrayLike, step: Step, *, settings: Settings, now: datetime
) -> Outcome:
    """Take a step on all problems where it may be taken; the others stay as they are.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Who takes it.
    numbers
        Case numbers, shape (n,).
    step
        What is to be done.
    settings
        Of the installation: its calendar and time zone.
    now
        Time of the step.

    Raises
    ------
    PermissionDeniedError, InvalidValueError
        As for `preview`.
    """
    wanted = np.unique(np.asarray(numbers, dtype=np.int64))
    held = hold_with_other(session, wanted, step)
    outcome, given = _judged(session, actor, wanted, held, step, settings=settings, now=now)
    allowed = np.isin(held["id"], outcome.taken)
    lives = held.where(allowed)
    if not len(lives):
        return outcome
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    limits = load_limits(session, settings)
    calendar = limits.calendar
    given = given.where(allowed)
    if step.action in DISPATCHES:
        given = with_time(given, lives, limits)
    new = changes(
        step,
        lives,
        moment=moment,
        calendar=calendar,
        stage_due=lambda state: stage_due(state, [moment], calendar, settings)[0],
        given=given,
        actor_person=-1 if actor.person_id is None else actor.person_id,
    )
    batch = Batch(
        action=step.action.value,
        note=step.note.strip(),
        actor=actor.name,
        login_id=actor.login_id,
        at=now,
        problems=len(lives),
    )
    session.add(batch)
    session.flush()
    details: dict[str, object] = {}
    if step.action in DISPATCHES:
        details |= {"by": given.reason, "rule": given.rule}
    if step.action in ASKING:
        ask(session, actor, lives, step, batch, now=now)
    elif lives["asked"].any() and step.action is not Action.ACCEPT:
        decide(session, actor, lives, step, batch, now=now)
    if step.action is Action.MERGE:
        details["other"] = merge(session, lives, step, batch, now=now)
    if step.action is Action.RESTORE:
        part(session, lives["id"], now=now)
    lines = write_history(session, actor, lives, step, new=new, batch=batch, details=details, now=now)
    answer_checks(session, actor, lives["id"], step.action, batch=batch, now=now)
    _prove(session, actor, step, lives=lives, lines=lines, settings=settings)
    update_rows(session, Problem, lives["id"], {**new, "change": next_change(session)})
    return replace(outcome, batch=batch)


def _prove(
    session: Session,
    actor: Actor,
    step: Step,
    *,
    lives: Lives,
    lines: NDArray[np.int64],
    settings: Settings,
) -> None:
    """Tie the uploads that the step names to the line of history that they prove."""
    if not step.attachments:
        return
    if len(lives) > 1:
        raise InvalidValueError("A photo proves a step on one problem only.", parameter="attachments")
    tie(
        session,
        step.attachments,
        problem_id=int(lives["id"][0]),
        event_id=int(lines[0]),
        actor=actor,
        settings=settings,
    )


def lacks_photo(session: Session, lives: Lives, action: Action) -> NDArray[np.bool_]:
    """Say which problems need a photo taken after fixing for a step and have none, bool, shape (n,)."""
    lacking = (lives["needs_photo"] > 0) & (Need.AFTER_PHOTO in TRANSITIONS[action].needs)
    if lacking.any():
        lacking[lacking] = lacking_after_photo(session, lives["id"][lacking])
    return lacking


def _brings_photo(session: Session, actor: Actor, step: Step, lives: Lives) -> bool:
    """Whether the step itself brings the photo taken after fixing; it proves one problem only."""
    if not step.attachments or len(lives) != 1 or actor.login_id is None:
        return False
    fixed = lives["fixed_at"][0]
    since = None if np.isnat(fixed) else fixed.astype("datetime64[us]").item().replace(tzinfo=UTC)
    return brings_after_photo(session, step.attachments, login_id=actor.login_id, since=since)


def _judged(
    session: Session,
    actor: Actor,
    wanted: NDArray[np.int64],
    lives: Lives,
    step: Step,
    *,
    settings: Settings,
    now: datetime,
) -> tuple[Outcome, Given]:
    """Judge those that are there; say of the others that they are not."""
    line = TRANSITIONS[step.action]
    scope = actor.scope(line.permission)
    reading = actor.scope(Permission.PROBLEM_READ)
    check_step(step, now=now)
    where = lives["area_id"], lives["organisation_id"]
    fixed_by_actor = (lives["fixed_by_id"] == actor.person_id) & (lives["fixed_by_id"] >= 0)
    lacking = lacks_photo(session, lives, step.action)
    if lacking.any() and not fixed_by_actor.any() and _brings_photo(session, actor, step, lives):
        lacking[:] = False
    verdicts = judge(
        step.action,
        lives["state"],
        seen=reading.covers_each(*where),
        in_scope=scope.covers_each(*where),
        fixed_by_actor=fixed_by_actor,
        lacks_photo=lacking,
        requested=lives["asked"] > 0,
    )
    given = recipients(session, lives, step, settings=settings, now=now)
    if step.action in DISPATCHES:
        verdicts[(verdicts == Verdict.ALLOWED) & (given.organisation < 0)] = Verdict.NOBODY
    if Need.OTHER in line.needs:
        other = find_other(session, step, scope=reading)
        verdicts[(verdicts == Verdict.ALLOWED) & (lives["id"] == other)] = Verdict.ITSELF
    everyone = np.full(len(wanted), Verdict.NOT_THERE, dtype=np.int8)
    there = np.searchsorted(wanted, lives["id"])
    everyone[there] = verdicts
    versions = np.full(len(wanted), -1, dtype=np.int64)
    versions[there] = lives["change"]
    return Outcome(wanted, everyone, versions), given
