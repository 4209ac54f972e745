"""Permissions by name, the roles that carry them, and the scope in which they hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from gridmap.errors import PermissionDeniedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["GIVES", "OWNER", "ROLE_PERMISSIONS", "Actor", "Holding", "Permission", "Role", "Scope"]


OWNER = "owner"
"""Name of whoever runs commands on the server, in the history."""


class Permission(StrEnum):
    """What can be allowed, ``resource:action``."""

    PLACE_READ = "place:read"
    PLACE_IMPORT = "place:import"
    PLACE_DRAW = "place:draw"
    PLACE_AUDIT = "place:audit"
    PERSON_READ = "person:read"
    PERSON_PHONE = "person:phone"
    PERSON_IMPORT = "person:import"
    PERSON_MANAGE = "person:manage"
    PROBLEM_READ = "problem:read"
    PROBLEM_CREATE = "problem:create"
    PROBLEM_IMPORT = "problem:import"
    PROBLEM_EXPORT = "problem:export"
    PROBLEM_CHECK = "problem:check"
    PROBLEM_DISPATCH = "problem:dispatch"
    PROBLEM_FIX = "problem:fix"
    PROBLEM_VERIFY = "problem:verify"
    PROBLEM_CLOSE = "problem:close"
    PROBLEM_APPROVE = "problem:approve"
    DISPATCH_RULES = "dispatch:rules"
    WEBHOOK_MANAGE = "webhook:manage"
    DEADLINE_RULES = "deadline:rules"
    NOTICE_READ = "notice:read"
    NOTICE_ISSUE = "notice:issue"
    NOTICE_ANSWER = "notice:answer"
    ACCOUNTABILITY_DECIDE = "accountability:decide"
    LOOK_BACK_PLAN = "look_back:plan"
    JOINT_MANAGE = "joint:manage"
    PATROL_PLAN = "patrol:plan"
    PATROL_READ = "patrol:read"
    INSPECTION_PLAN = "inspection:plan"
    FORECAST_READ = "forecast:read"
    EVIDENCE_ADD = "evidence:add"
    EVIDENCE_ORIGINAL = "evidence:original"
    SHOP_READ = "shop:read"
    SHOP_RECORD = "shop:record"
    SHOP_MANAGE = "shop:manage"
    TRACK_RECORD = "track:record"
    TRACK_READ = "track:read"
    TRAIL_READ = "trail:read"
    RESIDENT_MODERATE = "resident:moderate"
    RESIDENT_CONTACT = "resident:contact"
    OPEN311_KEYS = "open311:keys"


class Role(StrEnum):
    """What somebody is in the machine of the campaign."""

    HEADQUARTERS = "headquarters"
    SUPERVISION = "supervision"
    AREA_MANAGER = "area_manager"
    ORGANISATION_LEAD = "organisation_lead"
    GRID_WORKER = "grid_worker"
    PATROL_MEMBER = "patrol_member"
    ASSESSOR = "assessor"
    READ_ONLY = "read_only"
    PUBLIC = "public"
    """Whoever has no login; not meant for logins."""


_READ = frozenset(
    {
        Permission.PLACE_READ,
        Permission.PROBLEM_READ,
        Permission.FORECAST_READ,
        Permission.PERSON_READ,
        Permission.SHOP_READ,
    }
)
_FIELD = (
    _READ
    | {Permission.PROBLEM_CREATE, Permission.PERSON_PHONE, Permission.EVIDENCE_ADD}
    | {Permission.TRACK_RECORD, Permission.PATROL_READ}
)
_LEAD = _FIELD | {Permission.PLACE_AUDIT, Permission.PROBLEM_EXPORT, Permission.TRACK_READ}
_CHECKS = frozenset(
    {
        Permission.PROBLEM_CHECK,
        Permission.PROBLEM_VERIFY,
        Permission.PROBLEM_CLOSE,
        Permission.LOOK_BACK_PLAN,
    }
)
_FIXES = frozenset({Permission.PROBLEM_FIX, Permission.SHOP_RECORD})
_NOTICES = frozenset({Permission.NOTICE_READ, Permission.NOTICE_ISSUE})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = MappingProxyType(
    {
        Role.HEADQUARTERS: frozenset(Permission),
        Role.SUPERVISION: _LEAD
        | _CHECKS
        | _NOTICES
        | {Permission.EVIDENCE_ORIGINAL, Permission.TRAIL_READ, Permission.RESIDENT_MODERATE}
        | {Permission.ACCOUNTABILITY_DECIDE, Permission.PATROL_PLAN, Permission.INSPECTION_PLAN},
        Role.AREA_MANAGER: _LEAD
        | _CHECKS
        | _NOTICES
        | {Permission.PROBLEM_DISPATCH, Permission.PROBLEM_APPROVE, Permission.JOINT_MANAGE}
        | {Permission.PROBLEM_IMPORT, Permission.PERSON_MANAGE, Permission.PATROL_PLAN}
        | {Permission.SHOP_RECORD, Permission.SHOP_MANAGE}
        | {Permission.RESIDENT_MODERATE, Permission.RESIDENT_CONTACT},
        Role.ORGANISATION_LEAD: _FIELD
        | _FIXES
        | {Permission.PROBLEM_EXPORT, Permission.NOTICE_READ, Permission.NOTICE_ANSWER}
        | {Permission.TRACK_READ},
        Role.GRID_WORKER: _FIELD | _FIXES | {Permission.PROBLEM_VERIFY},
        Role.PATROL_MEMBER: _FIELD | _FIXES | {Permission.PROBLEM_VERIFY},
        Role.ASSESSOR: frozenset({Permission.PLACE_READ, Permission.PROBLEM_CREATE, Permission.EVIDENCE_ADD}),
        Role.READ_ONLY: _READ,
        Role.PUBLIC: frozenset({Permission.PROBLEM_CREATE, Permission.EVIDENCE_ADD}),
    }
)

GIVES: Mapping[Role, frozenset[Role]] = MappingProxyType(
    {
        Role.HEADQUARTERS: frozenset(Role) - {Role.PUBLIC},
        Role.AREA_MANAGER: frozenset(
            {
                Role.AREA_MANAGER,
                Role.ORGANISATION_LEAD,
                Role.GRID_WORKER,
                Role.PATROL_MEMBER,
                Role.READ_ONLY,
            }
        ),
    }
)
"""Which roles whoever manages persons in a role may give, within their own area and organisation."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One role with its limits: areas (with everything below them) and organisations; None: no limit."""

    role: Role
    areas: frozenset[int] | None = None
    organisations: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a permission holds: the union of its holdings, each an area limit and an organisation limit."""

    holdings: tuple[Holding, ...]

    @property
    def everywhere(self) -> bool:
        """Whether nothing is out of bounds."""
        return any(h.areas is None and h.organisations is None for h in self.holdings)

    @property
    def areas(self) -> frozenset[int] | None:
        """Areas whose ground (cells, points, roads) may be seen; None: all.

        A holding limited to an organisation alone sees the ground everywhere, as it is public; problems and
        people stay limited by `covers`.
        """
        if any(h.areas is None for h in self.holdings):
            return None
        return frozenset().union(*(h.areas or frozenset() for h in self.holdings))

    def covers(self, area_id: int | None, organisation_id: int | None) -> bool:
        """Whether something lies inside; what has no area or organisation is only in no limit."""
        return any(
            (h.areas is None or area_id in h.areas)
            and (h.organisations is None or organisation_id in h.organisations)
            for h in self.holdings
        )

    def covers_each(
        self, area_ids: NDArray[np.int64], organisation_ids: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Say for many things what `covers` says for one; -1 is none. Arrays of shape (n,)."""
        inside = np.zeros(len(area_ids), dtype=bool)
        for holding in self.holdings:
            within = np.ones(len(area_ids), dtype=bool)
            for limit, ids in ((holding.areas, area_ids), (holding.organisations, organisation_ids)):
                if limit is not None:
                    within &= np.isin(ids, np.fromiter(limit, dtype=np.int64, count=len(limit)))
            inside |= within
        return inside


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a login's person and roles, or a command run by the installation's owner."""

    name: str
    holdings: tuple[Holding, ...]
    login_id: int | None = None
    person_id: int | None = None
    only: frozenset[Permission] | None = None
    """Permissions to which a machine's token is limited; None: all that the roles carry."""

    @classmethod
    def owner(cls) -> Actor:
        """Whoever can run commands on the server holds every permission everywhere."""
        return cls(name=OWNER, holdings=(Holding(Role.HEADQUARTERS),))

    def scope(self, permission: Permission) -> Scope:
        """Where the actor holds a permission.

        Raises
        ------
        PermissionDeniedError
            If nowhere.
        """
        held = self._held(permission)
        if not held:
            raise PermissionDeniedError(
                "This needs the permission {permission}.", permission=permission.value
            )
        return Scope(held)

    def scope_everywhere(self, permission: Permission) -> None:
        """Raise PermissionDeniedError unless the actor holds a permission without limits."""
        if not self.scope(permission).everywhere:
            raise PermissionDeniedError(
                "This needs the permission {permission} for the whole city.", permission=permission.value
            )

    def may_everywhere(self, permission: Permission | str) -> bool:
        """Whether the actor holds a permission without limits."""
        return self.may(Permission(permission)) and self.scope(Permission(permission)).everywhere

    def may(self, permission: Permission | str) -> bool:
        """Whether the actor holds a permission anywhere."""
        return bool(self._held(permission))

    def _held(self, permission: Permission | str) -> tuple[Holding, ...]:
        if self.only is not None and permission not in self.only:
            return ()
        return tuple(h for h in self.holdings if permission in ROLE_PERMISSIONS[h.role])
