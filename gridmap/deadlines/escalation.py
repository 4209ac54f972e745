"""Reminding of limits, and what follows when they have passed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import select

from gridmap.deadlines.calendar import UNITS, as_stamp, as_time, load_calendar
from gridmap.deadlines.holders import stage_holders
from gridmap.deadlines.models import (
    Accountability,
    Escalation,
    NoticeKind,
    Reminder,
    StepKind,
)
from gridmap.deadlines.notices import answer_time, make_notice
from gridmap.deadlines.stages import STAGES, stage_limit
from gridmap.deadlines.step_table import lock_steps, read_steps
from gridmap.deadlines.steps import Wait, horizon, next_steps, within_stage
from gridmap.people.permissions import Actor
from gridmap.places.ground import ground_on
from gridmap.places.models import ResponsibilityRole
from gridmap.problems.models import Event, EventKind, Problem, State
from gridmap.store.bulk import insert_rows
from gridmap.store.bulk_update import update_rows
from gridmap.store.clock import next_change
from gridmap.store.extract import read_columns
from gridmap.store.selection import among
from gridmap.workflow.transitions import AT_WORK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from numpy.typing import NDArray
    from sqlalchemy.orm import Session

    from gridmap.config import Settings
    from gridmap.deadlines.models import EscalationStep
    from gridmap.places.ground import Ground

__all__ = ["Escalated", "escalate", "something_to_do"]

_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Escalated:
    """What was done: problems by the kind of step, and papers and reminders sent."""

    problems: dict[StepKind, int] = field(default_factory=dict)
    notices: int = 0
    reminders: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Problems for which a step is to be taken, columns of shape (n,), and the step's position.

    Organisation and person are those who have to fix it; `_answering` says whose turn it is.
    """

    rows: dict[str, NDArray[Any]]
    step: NDArray[np.int16]
    steps: list[EscalationStep]


def something_to_do(session: Session, *, settings: Settings, now: datetime) -> bool:
    """Whether `escalate` would do anything; only reads."""
    return bool(_find(session, settings, now, lock=False).step.size)


def escalate(session: Session, *, settings: Settings, now: datetime) -> Escalated:
    """Take every step of the table that has become due: remind, notify, tell the leader, list.

    What was done for a limit is kept with it, so that calling again does nothing twice; of two processes the
    second waits for the first and then finds nothing left. Each organisation gets one notice and each person
    one reminder, however many problems it names.

    Parameters
    ----------
    session
        Of a writing transaction.
    settings
        Of the installation: its calendar and time zone.
    now
        Time of the change.
    """
    found = _hold(session, settings, now)
    if not found.step.size:
        return Escalated()
    day = now.astimezone(settings.zone).date()
    ground = ground_on(session, day, reach_metres=settings.road_reach_metres)
    _answering(session, ground, found.rows, day)
    done = Escalated()
    notices = reminders = 0
    for at, step in enumerate(found.steps):
        here = np.flatnonzero(found.step == at)
        if not here.size:
            continue
        rows = {name: values[here] for name, values in found.rows.items()}
        paper: dict[str, Any] = {"notice_id": None, "reminder_id": None}
        told = np.full(here.size, json.dumps({"step": step.kind.value}), dtype=object)
        if step.kind is StepKind.NOTICE:
            rows["organisation_id"] = np.where(
                rows["organisation_id"] < 0, ground.headquarters, rows["organisation_id"]
            )
            known = rows["organisation_id"] >= 0
            rows, told = {name: values[known] for name, values in rows.items()}, told[known]
            paper["notice_id"], told, count = _send_notices(session, rows, settings, now)
            notices += count
        elif step.kind is StepKind.ACCOUNTABILITY:
            _enter(session, rows, now)
        else:
            people = rows["person_id"] if step.kind is StepKind.REMIND else _leaders(ground, rows)
            elsewhere = rows["organisation_id"]
            if step.kind is StepKind.LEADER:
                elsewhere = np.full(here.size, ground.headquarters)
            paper["reminder_id"], count = _remind(session, step.kind, people, elsewhere, now)
            reminders += count
        if rows["id"].size:
            _keep(session, step, rows, paper=paper, told=told, now=now)
            done.problems[step.kind] = done.problems.get(step.kind, 0) + rows["id"].size
    update_rows(session, Problem, found.rows["id"], {"change": next_change(session)})
    return Escalated(done.problems, notices, reminders)


def _hold(session: Session, settings: Settings, now: datetime) -> _Found:
    """Find what is due, and keep others from it until the transaction ends.

    Whoever else escalates waits at the table of steps; whoever takes a step with a problem, at its row.
    """
    found = _find(session, settings, now, lock=True)
    if not found.step.size or session.get_bind().dialect.name != "postgresql":
        return found
    held = select(Problem.id).where(among(session, Problem.id, found.rows["id"])).order_by(Problem.id)
    session.execute(held.with_for_update()).all()
    # What others changed until now counts; what they added meanwhile is not held and waits for the next time.
    again = _find(session, settings, now, lock=True)
    still = np.isin(again.rows["id"], found.rows["id"])
    rows = {name: values[still] for name, values in again.rows.items()}
    return _Found(rows, again.step[still], again.steps)


def _find(session: Session, settings: Settings, now: datetime, *, lock: bool) -> _Found:
    calendar = load_calendar(settings)
    table = lock_steps(session) if lock else read_steps(session)
    steps = [step for step in table if step.enabled]
    moment = as_stamp(now)
    waits = [Wait(step.kind, step.wait, UNITS[step.unit]) for step in steps]
    latest = as_time(horizon(waits, moment, calendar))
    # In working hours that a stage may take; 0: as long as an organisation has it, by its own limit.
    pressing = dict.fromkeys(AT_WORK, 0) | {
        state: limit[0] for state in STAGES if (limit := stage_limit(state, settings)) is not None
    }
    open_ones = (Problem.state.in_(pressing), Problem.due_at <= latest)
    rows = read_columns(
        session,
        select(
            Problem.id,
            Problem.state,
            Problem.due_at,
            Problem.organisation_id,
            Problem.person_id,
            Problem.area_id,
            Problem.cell_id,
        ).where(*open_ones),
    )
    before = read_columns(
        session,
        select(Escalation.problem_id, Escalation.step_id, Escalation.taken_at)
        .join(Problem, (Problem.id == Escalation.problem_id) & (Problem.due_at == Escalation.due_at))
        .where(*open_ones),
    )
    taken = np.full((rows["id"].size, len(steps)), np.datetime64("NaT"), dtype="datetime64[us]")
    problem = pd.Index(rows["id"]).get_indexer(pd.Index(before["problem_id"]))
    # Unsaved steps have no id, and nothing was taken by them.
    places = pd.Index([step.id or -at for at, step in enumerate(steps, start=1)], dtype=np.int64)
    column = places.get_indexer(pd.Index(before["step_id"]))
    known = (problem >= 0) & (column >= 0)
    taken[problem[known], column[known]] = before["taken_at"][known]
    step = np.full(rows["id"].size, -1, dtype=np.int16)
    hours = np.array([pressing.get(state, 0) for state in State])[rows["state"]]
    for stage in np.unique(hours).tolist():
        here = hours == stage
        own = within_stage(waits, stage) if stage else waits
        step[here] = next_steps(own, rows["due_at"][here], taken[here], moment, calendar)
    chosen = step >= 0
    return _Found({name: values[chosen] for name, values in rows.items()}, step[chosen], steps)


def _answering(session: Session, ground: Ground, rows: dict[str, NDArray[Any]], day: date) -> None:
    """Put in those who answer for the stage, where it is not the organisation's turn."""
    waits = ~_fixing(rows)
    person, organisation = stage_holders(
        session, ground, rows["state"][waits], rows["area_id"][waits], day=day
    )
    rows["person_id"][waits], rows["organisation_id"][waits] = person, organisation


def _fixing(rows: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    return np.isin(rows["state"], [list(State).index(state) for state in AT_WORK])


def _send_notices(
    session: Session,
    rows: dict[str, NDArray[Any]],
    settings: Settings,
    now: datetime,
) -> tuple[NDArray[np.int64], NDArray[np.object_], int]:
    """One supervision notice to each organisation, of what it has to fix and of what else waits for it.

    Returns the notice's id and line of history for each problem, and how many notices there are.
    """
    answer_by = answer_time(settings, now)
    ids = np.zeros(rows["id"].size, dtype=np.int64)
    told = np.empty(rows["id"].size, dtype=object)
    count = 0
    fixing, bodies = _fixing(rows), rows["organisation_id"]
    parts = [np.where(part, bodies, _NOBODY) for part in (fixing, ~fixing)]
    for organisation, here in (group for part in parts for group in _groups(part)):
        if organisation < 0:
            continue
        notice = make_notice(
            session,
            NoticeKind.SUPERVISION,
            organisation,
            problems=rows["id"][here],
            due_at=rows["due_at"][here],
            states=rows["state"][here],
            issued_by=Actor.owner().name,
            answer_by=answer_by,
            zone=settings.zone,
            now=now,
        )
        ids[here] = notice.id
        told[here] = json.dumps({"step": StepKind.NOTICE.value, "notice": notice.uid.hex})
        count += 1
    return ids, told, count


def _remind(
    session: Session,
    kind: StepKind,
    person: NDArray[np.int64],
    organisation: NDArray[np.int64],
    now: datetime,
) -> tuple[NDArray[np.int64], int]:
    """One reminder to each person, or to the organisation where there is none; its id for each problem."""
    ids = np.full(person.size, _NOBODY, dtype=np.int64)
    made = 0
    for name, whom, left in (
        ("person_id", person, np.ones(person.size, dtype=bool)),
        ("organisation_id", organisation, person < 0),
    ):
        for one, here in _groups(np.where(left, whom, _NOBODY)):
            if one < 0:
                continue
            reminder = Reminder(kind=kind, sent_at=now, **{name: one})
            session.add(reminder)
            session.flush()
            ids[here] = reminder.id
            made += 1
    return ids, made


def _enter(session: Session, rows: dict[str, NDArray[Any]], now: datetime) -> None:
    insert_rows(
        session,
        Accountability,
        {
            "problem_id": rows["id"],
            "organisation_id": rows["organisation_id"],
            "person_id": rows["person_id"],
            "due_at": rows["due_at"],
            "entered_at": now,
        },
    )


def _keep(
    session: Session,
    step: EscalationStep,
    rows: dict[str, NDArray[Any]],
    *,
    paper: dict[str, Any],
    told: NDArray[np.object_],
    now: datetime,
) -> None:
    """Write down that the step was taken, with the limit and in the history."""
    insert_rows(
        session,
        Escalation,
        {
            "problem_id": rows["id"],
            "step_id": step.id,
            "due_at": rows["due_at"],
            "taken_at": now,
            **{name: ids for name, ids in paper.items() if ids is not None},
        },
    )
    insert_rows(
        session,
        Event,
        {
            "problem_id": rows["id"],
            "kind": EventKind.ESCALATED,
            "at": now,
            "recorded_at": now,
            "actor": Actor.owner().name,
            "state": rows["state"],
            "details": told,
        },
    )


def _leaders(ground: Ground, rows: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Leader in charge of each problem's cell, or of its area or the next above; -1: nobody."""
    role = ResponsibilityRole.LEADER_IN_CHARGE
    found = np.full(rows["id"].size, _NOBODY, dtype=np.int64)
    for kind, ids, here in (("area", ground.area_ids, "area_id"), ("cell", ground.cell_ids, "cell_id")):
        at = pd.Index(ids).get_indexer(pd.Index(rows[here]))
        leader = np.append(ground.held[kind, role].person, _NOBODY)[at]
        found = np.where(leader >= 0, leader, found)
    return found


def _groups(keys: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Each distinct key with the rows that have it."""
    order = np.argsort(keys, kind="stable")
    values, starts = np.unique(keys[order], return_index=True)
    yield from zip(values.tolist(), np.split(order, starts[1:]) if keys.size else [], strict=True)
