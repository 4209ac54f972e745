"""Moving open problems to where today's ground, duties and rules put them: one action, one undo."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import delete, select

from gridmap.deadlines.limits import load_limits
from gridmap.deadlines.stages import stage_due
from gridmap.dispatch.moves import OWNERS, PLACED, Moves, preview_moves
from gridmap.errors import ConflictError, InvalidValueError
from gridmap.people.permissions import Permission
from gridmap.places.ground import ground_on
from gridmap.problems.models import Batch, Event, EventKind, Problem, ProblemCell
from gridmap.store.bulk import insert_rows
from gridmap.store.bulk_update import update_rows
from gridmap.store.clock import next_change
from gridmap.store.selection import among
from gridmap.workflow.changes import Given, changes
from gridmap.workflow.history import details_of
from gridmap.workflow.lives import Lives, hold_lives
from gridmap.workflow.recipients import with_time
from gridmap.workflow.rules import STATES
from gridmap.workflow.step import Step
from gridmap.workflow.transitions import AT_WORK, Action

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.deadlines.limits import Limits
    from gridmap.people.permissions import Actor
    from gridmap.workflow.changes import Columns

__all__ = ["apply_moves"]


def apply_moves(
    session: Session,
    actor: Actor,
    groups: Mapping[tuple[int, int], int],
    *,
    note: str,
    settings: Settings,
    now: datetime,
) -> Batch:
    """Move the open problems of some groups; what organisations have at work they get anew, with a new limit.

    Parameters
    ----------
    session
        Of a writing transaction.
    actor
        Somebody who may change the rules and dispatch in the whole city.
    groups
        Ids of organisations, from and to, with the number of problems that the actor saw there
        (`Moves.groups`).
    note
        Why; it stands in every history.
    settings, now
        Of the installation; time of the change.

    Returns
    -------
    Batch
        By which `gridmap.workflow.undo.undo` takes it back.

    Raises
    ------
    PermissionDeniedError
        If the actor may not.
    InvalidValueError
        If no reason is given or no group chosen.
    ConflictError
        If more would move than the actor has seen, or nothing.
    """
    actor.scope_everywhere(Permission.PROBLEM_DISPATCH)
    if not note.strip():
        raise InvalidValueError("Expected a reason; found none.", parameter="note")
    if not groups:
        raise InvalidValueError("Expected at least one group to move; found none.", parameter="groups")
    seen = preview_moves(session, actor, settings=settings, now=now)
    hold_lives(session, seen.before["id"][seen.among(list(groups))])
    moves = preview_moves(session, actor, settings=settings, now=now)
    present = moves.groups()
    if any(present.get(group, 0) > count for group, count in groups.items()):
        raise ConflictError("More problems would move by now than you have seen. Look at them again, please.")
    rows = moves.among(list(groups))
    if not len(rows):
        raise ConflictError("Nothing is left to move; the problems are where they belong.")
    batch = Batch(
        action=Action.REDISPATCH.value,
        note=note.strip(),
        actor=actor.name,
        login_id=actor.login_id,
        at=now,
        problems=len(rows),
    )
    session.add(batch)
    session.flush()
    lives = _lives(session, moves, rows)
    limits = load_limits(session, settings)
    new, anew = _changes(moves, rows, lives, limits=limits, settings=settings, now=now)
    _write_history(session, actor, moves, rows, lives=lives, new=new, anew=anew, batch=batch, now=now)
    _share_anew(session, moves, rows, settings=settings, now=now)
    update_rows(session, Problem, lives["id"], {**new, "change": next_change(session)})
    return batch


def _lives(session: Session, moves: Moves, rows: NDArray[np.intp]) -> Lives:
    """How they stand, with the columns of their place."""
    lives = hold_lives(session, moves.before["id"][rows])
    extra = {name: moves.before[name][rows] for name in ("cell_id", "road_id", "flags")}
    return Lives({**lives.columns, **extra})


def _changes(
    moves: Moves,
    rows: NDArray[np.intp],
    lives: Lives,
    *,
    limits: Limits,
    settings: Settings,
    now: datetime,
) -> tuple[Columns, NDArray[np.bool_]]:
    """New values of every column that changes for any of them; and which an organisation is given anew."""
    new: Columns = {name: moves.after[name][rows] for name in (*OWNERS, *PLACED, "flags")}
    at_work = np.isin(lives["state"], [STATES.index(state) for state in AT_WORK])
    anew = at_work & (new["organisation_id"] != lives["organisation_id"])
    moment = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "us")
    calendar = limits.calendar
    theirs = lives.where(anew)
    nothing = np.full(len(theirs), None, dtype=object)
    redispatched = changes(
        Step(action=Action.REDISPATCH, note="-"),
        theirs,
        moment=moment,
        calendar=calendar,
        stage_due=lambda state: stage_due(state, [moment], calendar, settings)[0],
        given=with_time(
            Given(
                organisation=new["organisation_id"][anew],
                person=new["person_id"][anew],
                allowed=theirs["category_allowed"].astype(np.int64),
                unit=theirs["category_unit"].astype(np.int64),
                reason=nothing,
                rule=nothing,
            ),
            theirs,
            limits,
        ),
        actor_person=-1,
    )
    for name, values in redispatched.items():
        if name not in new:
            new[name] = _merged(name, lives[name], values, anew)
    return new, anew


def _merged(name: str, old: NDArray[Any], values: Any, anew: NDArray[np.bool_]) -> Any:
    """A column with new values in some rows and the old ones in the others."""
    column = Problem.__table__.c[name]
    whole = old.copy()
    whole[anew] = np.ma.filled(values, -1) if isinstance(values, np.ma.MaskedArray) else values
    if whole.dtype.kind == "M" or name in {"state", "time_unit"} or not column.nullable:
        return whole
    return np.ma.MaskedArray(
        np.maximum(whole, 0).astype(bool) if name == "on_time" else whole, mask=whole < 0
    )


def _write_history(
    session: Session,
    actor: Actor,
    moves: Moves,
    rows: NDArray[np.intp],
    *,
    lives: Lives,
    new: Columns,
    anew: NDArray[np.bool_],
    batch: Batch,
    now: datetime,
) -> None:
    """A line for each: given anew to an organisation, or assigned otherwise."""
    kinds = list(EventKind)
    codes, rules = moves.choice.codes()[rows], moves.choice.ruled()[rows]
    said = {"by": codes, "rule": rules, "shares": _shares_before(session, lives["id"], moves, rows)}
    insert_rows(
        session,
        Event,
        {
            "problem_id": lives["id"],
            "kind": np.where(anew, kinds.index(EventKind.STATE), kinds.index(EventKind.ASSIGNED)),
            "at": now,
            "recorded_at": now,
            "actor": actor.name,
            "person_id": actor.person_id,
            "state": new.get("state", lives["state"]),
            "action": [Action.REDISPATCH.value if one else None for one in anew.tolist()],
            "note": batch.note,
            "batch_id": batch.id,
            "details": details_of(said, {name: lives[name] for name in new}, len(lives)),
        },
    )


def _shares_before(
    session: Session, ids: NDArray[np.int64], moves: Moves, rows: NDArray[np.intp]
) -> NDArray[np.object_]:
    """Shares on record of each line and polygon, as lists of cell, share and whether it leads."""
    found: dict[int, list[Any]] = {
        int(moves.before["id"][at]): [] for at in np.intersect1d(rows, moves.extended)
    }
    query = select(ProblemCell).where(among(session, ProblemCell.problem_id, list(found)))
    for row in session.scalars(query.order_by(ProblemCell.problem_id, ProblemCell.cell_id)):
        # As text, as the history's numbers are rounded.
        found[row.problem_id].append([row.cell_id, repr(row.share), row.leads])
    told = np.full(len(ids), None, dtype=object)
    for at, number in enumerate(ids.tolist()):
        told[at] = found.get(number)
    return told


def _share_anew(
    session: Session, moves: Moves, rows: NDArray[np.intp], *, settings: Settings, now: datetime
) -> None:
    """Put today's shares of lines and polygons in the place of those on record."""
    on = now.astimezone(settings.zone).date()
    ground = ground_on(session, on, reach_metres=settings.road_reach_metres)
    moved = np.isin(moves.extended, rows)
    ids = moves.before["id"][moves.extended]
    session.execute(
        delete(ProblemCell).where(among(session, ProblemCell.problem_id, ids[moved])),
        execution_options={"synchronize_session": False},
    )
    shares = moves.standing.shares
    shape = moves.standing.extended[shares.shape]
    theirs = moved[shape]
    insert_rows(
        session,
        ProblemCell,
        {
            "problem_id": ids[shape][theirs],
            "cell_id": ground.cell_ids[shares.cell][theirs],
            "share": shares.share[theirs],
            "leads": shares.leads[theirs],
        },
    )
