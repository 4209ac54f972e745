"""What is in no round of a plan, and why: kept as codes and values, said in the language of whoever reads."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from gridmap.language import N_, gettext
from gridmap.patrols.models import VisitKind
from gridmap.patrols.planning import Reason
from gridmap.places.models import InspectionPoint, PriorityRoad
from gridmap.problems.models import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from gridmap.patrols.planner import Found

__all__ = ["left_out", "tell_why"]

_BANNED = "banned"
_SAID = {
    Reason.NOBODY.value: N_("nobody may do it"),
    Reason.CLOSED.value: N_("its hours are in nobody's shift"),
    Reason.UNREACHABLE.value: N_("there is no way there"),
    Reason.TOO_LONG.value: N_("it takes longer than a shift"),
    Reason.FULL.value: N_("the shifts are full"),
    Reason.NOT_WORTH.value: N_("the way there costs more time than it is worth"),
    _BANNED: N_("it is not to be gone to"),
}
_MODELS = (
    (VisitKind.POINT, InspectionPoint),
    (VisitKind.PROBLEM, Problem),
    (VisitKind.ROAD, PriorityRoad),
)


def left_out(session: Session, found: Found, banned: set[str]) -> list[dict[str, Any]]:
    """Return what is in no round as it is kept: what it is, and the reason, which `tell_why` says.

    Parameters
    ----------
    banned
        Keys of what is not to be gone to.
    """
    posed = found.asked.posed
    why: dict[tuple[VisitKind, int], dict[str, Any]] = {
        (target.kind, target.id): {"said": fault.message, "values": _plain(fault.params)}
        for target, fault in posed.lost
    }
    metres: dict[tuple[VisitKind, int], int] = {}
    keys: dict[tuple[VisitKind, int], list[str]] = {}
    for one in found.plan.unfitted:
        target = posed.targets[one.task]
        key = (target.kind, target.id)
        name = posed.keys[one.task]
        why.setdefault(key, {"reason": _BANNED if name in banned else one.reason.value})
        keys.setdefault(key, []).append(name)
        metres[key] = metres.get(key, 0) + posed.problem.tasks[one.task].modes[0].metres
    turns: Counter[tuple[VisitKind, int]] = Counter((one.kind, one.id) for one in posed.targets)
    for key, absent in keys.items():
        if turns[key] > 1 and key[0] is not VisitKind.ROAD:
            why[key] |= {"times": [len(absent), turns[key]]}
    uids = _uids(session, why)
    return [
        {
            "kind": key[0].value,
            "uid": uids[key],
            "metres": metres.get(key, 0),
            "keys": keys.get(key, []),
            **reason,
        }
        for key, reason in sorted(why.items(), key=lambda item: item[0])
    ]


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: one if isinstance(one, int | float | str) else str(one) for name, one in values.items()}


def _uids(session: Session, keys: Mapping[tuple[VisitKind, int], Any]) -> dict[tuple[VisitKind, int], str]:
    uids: dict[tuple[VisitKind, int], str] = {}
    for kind, model in _MODELS:
        ids = [row for one, row in keys if one is kind]
        for start in range(0, len(ids), 500):
            rows = session.execute(select(model.id, model.uid).where(model.id.in_(ids[start : start + 500])))
            uids |= {(kind, row): str(uid) for row, uid in rows}
    return uids | {(kind, row): f"{row:x}" for kind, row in keys if kind is VisitKind.CORNER}


def tell_why(one: Mapping[str, Any]) -> str:
    """Say why something was left out, in the language in force."""
    if "why" in one:
        # Kept before reasons were kept as codes.
        return str(one["why"])
    template = one["said"] if "said" in one else _SAID.get(one["reason"], one["reason"])
    text = gettext(template, **one.get("values", {}))
    if "times" in one:
        absent, wanted = one["times"]
        text += gettext(" ({n} of {all} times)", n=absent, all=wanted)
    return text
