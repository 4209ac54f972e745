"""The form that asks for patrols: what was typed is kept, and what is wrong is said beside its field."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from geodata.travel import Profile
from gridmap.errors import InvalidValueError
from gridmap.language import N_, explain, gettext
from gridmap.patrols.visiting import RHYTHM_NAMES
from gridmap.patrols.wishes import LEDGER, Wish, check

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug.datastructures import MultiDict

__all__ = ["RHYTHMS", "ROAD_RHYTHMS", "WEEKDAYS", "Filled", "fill"]

_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
_NUMBERS = {
    "minutes_at_point": N_("Minutes at a point"),
    "minutes_at_problem": N_("Minutes at a problem"),
    "rest_minutes": N_("Rest, minutes"),
    "search_seconds": N_("Search, seconds"),
    "seed": N_("Random seed"),
    "sides": N_("Sides of a road"),
    "vary_percent": N_("Other ways each day, at most % longer"),
}
_CALLED = _NUMBERS | {
    "hours": N_("Shift"),
    **{f"hours_{n}": N_("Shift") for n in range(1, 8)},
    "until": N_("Last day"),
    "weekdays": N_("Weekdays"),
    "people": N_("Who can be sent"),
    "point_rhythm": N_("Points are gone to"),
    "problem_rhythm": N_("Problems are gone to"),
    "road_rhythm": N_("Roads are walked"),
}
RHYTHMS = {"": N_("once in the plan")} | RHYTHM_NAMES
ROAD_RHYTHMS = RHYTHMS | {LEDGER: N_("as often a day as each road's entry says")}
_DETAILS = ("hours", "profile", "start", "end", "area", "partner")
WEEKDAYS = (N_("Mon"), N_("Tue"), N_("Wed"), N_("Thu"), N_("Fri"), N_("Sat"), N_("Sun"))


@dataclass(slots=True)
class Filled:
    """A form as it was filled in.

    Attributes
    ----------
    wish
        None if something is wrong.
    errors
        What, by field.
    """

    wish: Wish | None = None
    errors: dict[str, str] = field(default_factory=dict)


def fill(form: MultiDict[str, str], look: Callable[[Wish], object]) -> Filled:
    """Read a form.

    Parameters
    ----------
    look
        Raises an error of a field where the store says that the wish cannot be met.
    """
    filled = Filled()
    values: dict[str, Any] = {}
    for name, called in _NUMBERS.items():
        text = form.get(name, "").strip().translate(_WIDE)
        if text and not re.fullmatch(r"\d{1,10}", text):
            filled.errors[name] = gettext(
                "{field}: expected a whole number; found “{found}”.", field=gettext(called), found=text[:40]
            )
        elif text:
            values[name] = int(text)
    _fill_choices(form, values, filled.errors)
    _fill_texts(form, values)
    if not (values["points"] or values["problems"] or values["roads"] or "corners" in form):
        filled.errors["points"] = gettext("Where to: choose at least one kind of place.")
    if not filled.errors:
        filled.wish = Wish(**values)
        try:
            check(filled.wish)
            look(filled.wish)
        except InvalidValueError as error:
            filled.wish = None
            name = error.parameter or "area"
            # What is one person's own has the person behind its name.
            called = N_("Own shift") if name.startswith("hours-") else _CALLED.get(name, "")
            said = explain(error)
            if called and not said.startswith(gettext(called)):
                said = gettext("{field}: {said}", field=gettext(called), said=said)
            filled.errors[name] = said
    return filled


def _fill_choices(form: MultiDict[str, str], values: dict[str, Any], errors: dict[str, str]) -> None:
    for name, read, needed in (
        ("area", uuid.UUID, N_("Choose an area.")),
        ("day", date.fromisoformat, N_("First day: expected a date such as 2026-05-11.")),
        ("profile", Profile, N_("They go: choose one of the ways.")),
    ):
        try:
            values[name] = read(form.get(name, "foot" if name == "profile" else "").strip())
        except ValueError:
            errors[name] = gettext(needed)
    if until := form.get("until", "").strip():
        try:
            values["until"] = date.fromisoformat(until)
        except ValueError:
            errors["until"] = gettext("Last day: expected a date such as 2026-05-17.")
    try:
        values["people"] = tuple(uuid.UUID(uid) for uid in form.getlist("people"))
    except ValueError:
        errors["people"] = gettext("Choose people from the list.")
    if "people" in values and not values["people"]:
        errors["people"] = gettext("Who can be sent: choose at least one person.")


def _fill_texts(form: MultiDict[str, str], values: dict[str, Any]) -> None:
    values["weekdays"] = tuple(n for n in range(1, 8) if str(n) in form.getlist("weekdays"))
    values["weekday_hours"] = {
        str(n): text for n in range(1, 8) if (text := form.get(f"hours_{n}", "").strip())
    }
    values |= {name: name in form for name in ("points", "problems", "roads", "balance")}
    values["details"] = details = {}
    for uid in form.getlist("people"):
        own = {name: form.get(f"{name}-{uid}", "").strip() for name in _DETAILS}
        if any(own.values()):
            details[uid] = {name: text for name, text in own.items() if text}
    for name in ("hours", "point_rhythm", "problem_rhythm", "road_rhythm"):
        values[name] = form.get(name, "").strip()
