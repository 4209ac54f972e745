"""What a click on a place shows: what it is, who holds it; and the same in short for every place of a list.

Names and phones of people are for those who may see them; that somebody holds a place is for everybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gridmap.labels import label
from gridmap.people.permissions import Permission
from gridmap.places.directory import OrganisationEntry, PersonEntry, PlaceEntry

if TYPE_CHECKING:
    from gridmap.people.permissions import Actor, Scope
    from gridmap.places.directory import Directory, Entry
    from gridmap.places.responsibilities import Holder

__all__ = ["Faces", "masked", "named"]


def named(entry: Entry | None) -> dict[str, str] | None:
    """Uid and name of something, for an answer; None of nothing."""
    if entry is None:
        return None
    return {"uid": entry.uid, "name": entry.name or getattr(entry, "code", "")}


def masked(phone: str) -> str:
    """Return the first three and last four digits: enough to recognise a number one knows."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else "****"


@dataclass(frozen=True, slots=True)
class Faces:
    """How people appear to one reader.

    Parameters
    ----------
    directory
        Names.
    actor
        The reader.
    """

    directory: Directory
    actor: Actor

    def person(self, person_id: int | None) -> dict[str, str] | None:
        """Uid and name of a person, if the reader may know who it is."""
        entry = self.directory.persons.get(person_id)
        return named(entry) if entry and self._may(Permission.PERSON_READ, entry) else None

    def phone(self, person_id: int | None) -> str | None:
        """Phone of a person: whole, or masked for those who may only know who it is."""
        entry = self.directory.persons.get(person_id)
        if entry is None or not entry.phone or not self._may(Permission.PERSON_READ, entry):
            return None
        return entry.phone if self._may(Permission.PERSON_PHONE, entry) else masked(entry.phone)

    def sees(self, entry: PersonEntry) -> bool:
        """Whether the reader may know of a person."""
        return self._may(Permission.PERSON_READ, entry)

    def knows(self, entry: Entry) -> bool:
        """Whether the reader may know what something is called even where no problem in sight names it."""
        if isinstance(entry, PersonEntry):
            return self.sees(entry)
        if not self.actor.may(Permission.PROBLEM_READ):
            return False
        scope = self.actor.scope(Permission.PROBLEM_READ)
        if isinstance(entry, OrganisationEntry):
            return scope.everywhere or scope.covers(entry.area, entry.id)
        area = entry.area if isinstance(entry, PlaceEntry) else entry.id
        return scope.areas is None or area in scope.areas

    def holder(self, holder: Holder) -> dict[str, Any]:
        """One line of a card."""
        person = self.directory.persons.get(holder.person)
        organisation = holder.organisation or (person.organisation if person else None)
        return {
            "role": holder.role.value,
            "role_name": label(holder.role),
            "person": self.person(holder.person),
            "phone": self.phone(holder.person),
            "organisation": named(self.directory.organisations.get(organisation)),
            "valid_from": holder.valid_from.isoformat(),
            "pledge_signed_on": holder.pledge_signed_on and holder.pledge_signed_on.isoformat(),
        }

    def first_name(self, holders: list[Holder]) -> str | None:
        """Name that stands on the map for a place: the first holder's."""
        for holder in holders:
            body = self.directory.organisations.get(holder.organisation)
            shown = self.person(holder.person) or named(body)
            if shown:
                return shown["name"]
        return None

    def _may(self, permission: Permission, entry: PersonEntry) -> bool:
        """A person is seen where their organisation is: in its area, or as one of it."""
        if not self.actor.may(permission):
            return False
        scope: Scope = self.actor.scope(permission)
        if scope.everywhere or entry.id == self.actor.person_id:
            return True
        body = self.directory.organisations.get(entry.organisation)
        return scope.covers(body.area if body else None, body.id if body else None)
