"""Shops, pledges and offences as they are shown to one reader, with the names of what they point to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gridmap.labels import label
from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.cards import masked, named

if TYPE_CHECKING:
    from gridmap.people.permissions import Actor
    from gridmap.places.cards import Faces
    from gridmap.places.directory import Directory
    from gridmap.shops.models import Offence, Pledge
    from gridmap.shops.rules import Advice

__all__ = ["explain_advice", "offence_record", "pledge_record", "shop_record"]


def explain_advice(advice: Advice, *, proven: int | None = None) -> str:
    """Say which step follows and why, in the language in force.

    Parameters
    ----------
    proven
        How many of the offences that count have a photo or video; None: nothing is said of it.
    """
    words = {name: value if isinstance(value, int) else label(value) for name, value in advice.params.items()}
    text = gettext(advice.message, **words)
    if advice.lapsed or advice.quashed:
        text += gettext(
            " Not counted: {lapsed} lapsed, {quashed} after an appeal.",
            lapsed=advice.lapsed,
            quashed=advice.quashed,
        )
    if proven is not None and advice.standing:
        text += gettext(" With photos or videos: {n} of {standing}.", n=proven, standing=advice.standing)
    return text


def shop_record(row: dict[str, Any], *, directory: Directory, actor: Actor) -> dict[str, Any]:
    """Say of a row of `read_shops` what its reader may know.

    Who runs it is for those who may see persons there; the phone is whole for those who may call.
    """
    place = row["area_id"], row["organisation_id"]

    def may(permission: Permission) -> bool:
        return actor.may(permission) and actor.scope(permission).covers(*place)

    phone = row["phone"] if may(Permission.PERSON_READ) else None
    advice: Advice = row["advice"]
    return {
        "uid": row["uid"],
        "code": row["code"],
        "name": row["name"],
        "licence": row["licence"],
        "trade": row["trade"],
        "owner": row["owner"] if may(Permission.PERSON_READ) else None,
        "phone": phone and (phone if may(Permission.PERSON_PHONE) else masked(phone)),
        "address": row["address"],
        "area": named(directory.areas.get(row["area_id"])),
        "cell": named(directory.cells.get(row["cell_id"])),
        "road": named(directory.roads.get(row["road_id"])),
        "organisation": named(directory.organisations.get(row["organisation_id"])),
        "valid_to": row["valid_to"] and row["valid_to"].isoformat(),
        "pledge_signed_on": row["signed_on"] and row["signed_on"].isoformat(),
        "standing": row["standing"],
        "open_appeals": row["appeals"],
        "next_step": advice.step.value,
        "next_step_name": label(advice.step),
        "lon": row["lon"],
        "lat": row["lat"],
    }


def pledge_record(pledge: Pledge, *, sees_owner: bool) -> dict[str, Any]:
    """One pledge; who signed it is a person of the shop."""
    return {
        "uid": str(pledge.uid),
        "signed_on": pledge.signed_on.isoformat(),
        "signed_by": pledge.signed_by if sees_owner else None,
        "note": pledge.note,
        "ended_on": pledge.ended_on and pledge.ended_on.isoformat(),
        "by": pledge.actor,
        "recorded_at": pledge.recorded_at.isoformat(),
        "scanned": pledge.attachment_id is not None,
    }


def offence_record(
    offence: Offence,
    *,
    faces: Faces,
    counts: bool,
    problem: dict[str, Any] | None,
    evidence: list[dict[str, Any]] | None,
) -> dict[str, Any]:
    """One offence.

    Parameters
    ----------
    counts
        Whether it counts today.
    problem
        Uid and number of its problem, where the reader may see that.
    evidence
        Its photos and videos, for those who may see persons there; None for others.
    """
    category = faces.directory.categories.get(offence.category_id)
    return {
        "uid": str(offence.uid),
        "category": {"code": category.code, "name": category.label} if category else None,
        "at": offence.at.isoformat(),
        "step": offence.step.value,
        "step_name": label(offence.step),
        "expected": offence.expected.value,
        "expected_name": label(offence.expected),
        "reason": offence.reason,
        "note": offence.note,
        "goods": offence.goods,
        "address": offence.address,
        "lon": offence.lon,
        "lat": offence.lat,
        "officer": faces.person(offence.person_id),
        "by": offence.actor,
        "recorded_at": offence.recorded_at.isoformat(),
        "counts": counts,
        "problem": problem,
        "evidence": evidence,
        "appeal": offence.appeal,
        "appealed_at": offence.appealed_at and offence.appealed_at.isoformat(),
        "appeal_state": offence.appeal_state and offence.appeal_state.value,
        "appeal_state_name": offence.appeal_state and label(offence.appeal_state),
        "decision": offence.decision,
        "decided_by": offence.decided_by,
        "decided_at": offence.decided_at and offence.decided_at.isoformat(),
    }
