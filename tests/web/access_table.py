"""Who may use each route: one line per route and method, for pages and API alike.

A new route gets a line here; `test_access_matrix` walks them all as every role, from inside and from outside
its limits. `of` names what the address is about, one of the test's `things`; what lies outside somebody's
limits is then hidden (404), or refused where `outside=403` says so. `everywhere`: the permission is needed
for the whole city. `json`, `form` and `query` are sent, good enough to reach the check of limits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gridmap.people.permissions import Permission

OPEN, SIGNED_IN = "open", "signed in"


@dataclass(frozen=True)
class Line:
    needs: Permission | str
    of: str | None = None
    everywhere: bool = False
    outside: int = 404
    json: Any = None
    form: Any = None
    query: Any = None
    then: Permission | None = None
    """What is needed besides for what is sent."""
    but: dict[str, str] = field(default_factory=dict)
    """Other outcomes by where somebody asks from, for those who hold the permission."""


NEW_PROBLEM = {"uid": None, "category": "A1", "lon": 121.405, "lat": 31.205}
"""In the first community. A uid of None is made up for each request."""
NEW_OFFENCE = {"uid": None, "category": "A1"}
NEW_PLEDGE = {"uid": None, "signed_on": "2026-01-01", "signed_by": "店主"}
SHOP = {"name": "超市", "lon": "121.401", "lat": "31.201"}

ROUTES: dict[str, Line] = {
    "GET /sign-in": Line(OPEN),
    "POST /sign-in": Line(OPEN),
    "POST /sign-out": Line(OPEN),
    "GET /account": Line(SIGNED_IN),
    "POST /account/password": Line(SIGNED_IN),
    "POST /account/sessions/<uuid:uid>/end": Line(SIGNED_IN, of="nothing"),
    "POST /account/sessions/end": Line(SIGNED_IN),
    "GET /": Line(Permission.PLACE_READ),
    "GET /coverage": Line(Permission.PLACE_AUDIT),
    "GET /coverage/repair": Line(Permission.PLACE_DRAW, everywhere=True),
    "POST /coverage/repair": Line(Permission.PLACE_DRAW, everywhere=True),
    "GET /coverage/draw": Line(Permission.PLACE_DRAW, everywhere=True),
    "POST /coverage/draw": Line(Permission.PLACE_DRAW, everywhere=True),
    "GET /export.png": Line(Permission.PROBLEM_EXPORT, query={"bbox": "121.4,31.2,121.41,31.21"}),
    "GET /export.html": Line(Permission.PROBLEM_EXPORT, query={"bbox": "121.4,31.2,121.41,31.21"}),
    "GET /figures": Line(Permission.PROBLEM_READ),
    "GET /figures/list": Line(Permission.PROBLEM_READ, query={"measure": "found"}),
    "GET /figures/figures.xlsx": Line(Permission.PROBLEM_EXPORT),
    "GET /imports": Line(Permission.PLACE_IMPORT, everywhere=True),
    "POST /imports": Line(Permission.PLACE_IMPORT, everywhere=True),
    "GET /imports/draft/<uuid:uid>": Line(Permission.PLACE_IMPORT, of="nothing"),
    "POST /imports/draft/<uuid:uid>/plan": Line(Permission.PLACE_IMPORT, of="nothing"),
    "GET /imports/draft/<uuid:uid>/refused.csv": Line(Permission.PLACE_IMPORT, of="nothing"),
    "POST /imports/draft/<uuid:uid>/apply": Line(Permission.PLACE_IMPORT, of="nothing"),
    "POST /imports/<uuid:uid>/undo": Line(Permission.PLACE_IMPORT, of="nothing"),
    "GET /jobs/<uid>": Line(SIGNED_IN, of="nothing"),
    "POST /jobs/<uid>/stop": Line(SIGNED_IN, of="nothing"),
    "GET /api/v1/shops": Line(Permission.SHOP_READ),
    "GET /api/v1/shops/<uid>": Line(Permission.SHOP_READ, of="shop"),
    "GET /api/v1/shops/<uid>/offences": Line(Permission.SHOP_READ, of="shop"),
    "POST /api/v1/shops/<uid>/offences": Line(Permission.SHOP_RECORD, of="shop", json=NEW_OFFENCE),
    "POST /api/v1/shops/<uid>/pledges": Line(Permission.SHOP_RECORD, of="shop", json=NEW_PLEDGE),
    "GET /api/v1/shops/<uid>/pledges": Line(Permission.SHOP_READ, of="shop"),
    "GET /shops": Line(Permission.SHOP_READ),
    "GET /shops/<uuid:uid>": Line(Permission.SHOP_READ, of="shop"),
    "POST /shops/<uuid:uid>/close": Line(Permission.SHOP_MANAGE, of="shop"),
    "GET /shops/<uuid:uid>/edit": Line(Permission.SHOP_MANAGE, of="shop"),
    "POST /shops/<uuid:uid>/edit": Line(
        Permission.SHOP_MANAGE,
        of="shop",
        form=SHOP,
        outside=403,
        # Nobody enforces at this place, so it is of no organisation.
        but={"own organisation": "refused"},
    ),
    "POST /shops/<uuid:uid>/offences": Line(Permission.SHOP_RECORD, of="shop"),
    "POST /shops/<uuid:uid>/offences/<uuid:offence>/appeal": Line(Permission.SHOP_RECORD, of="nothing"),
    "POST /shops/<uuid:uid>/offences/<uuid:offence>/decision": Line(Permission.SHOP_MANAGE, of="nothing"),
    "POST /shops/<uuid:uid>/pledges": Line(Permission.SHOP_RECORD, of="shop"),
    "GET /shops/new": Line(Permission.SHOP_MANAGE),
    "GET /dispatch/rules": Line(Permission.DISPATCH_RULES, everywhere=True),
    "POST /dispatch/rules/apply": Line(Permission.DISPATCH_RULES, everywhere=True),
    "GET /dispatch/rules/form": Line(Permission.DISPATCH_RULES, everywhere=True),
    "POST /dispatch/rules/preview": Line(Permission.DISPATCH_RULES, everywhere=True),
    "POST /dispatch/rules/try": Line(Permission.DISPATCH_RULES, everywhere=True),
    "GET /tray": Line(Permission.PROBLEM_DISPATCH),
    "GET /problems": Line(Permission.PROBLEM_READ),
    "GET /problems/<uuid:uid>": Line(Permission.PROBLEM_READ, of="problem"),
    "POST /api/v1/batches/<uid>/undo": Line(Permission.PROBLEM_READ, of="nothing"),
    "PATCH /api/v1/problems/<uid>": Line(Permission.PROBLEM_CHECK, of="problem", json={"severity": 3}),
    "POST /api/v1/problems/<uid>/steps": Line(
        Permission.PROBLEM_READ, of="problem", json={"action": "check"}, then=Permission.PROBLEM_CHECK
    ),
    "GET /api/v1/problems/similar": Line(
        Permission.PROBLEM_READ, query={"lon": "121.405", "lat": "31.205", "category": "A1"}
    ),
    "POST /api/v1/problems/steps": Line(Permission.PROBLEM_READ),
    "GET /account/codes": Line(SIGNED_IN),
    "POST /account/codes": Line(SIGNED_IN),
    "POST /account/codes/remove": Line(SIGNED_IN),
    "GET /account/tokens": Line(SIGNED_IN),
    "POST /account/tokens": Line(SIGNED_IN),
    "GET /people": Line(Permission.PERSON_MANAGE),
    "POST /people": Line(Permission.PERSON_MANAGE),
    "GET /people/<uuid:uid>": Line(Permission.PERSON_MANAGE, of="person"),
    "POST /people/<uuid:uid>": Line(Permission.PERSON_MANAGE, of="person"),
    "POST /people/<uuid:uid>/handover": Line(Permission.PERSON_MANAGE, of="person"),
    "POST /people/<uuid:uid>/logins": Line(Permission.PERSON_MANAGE, of="person"),
    "POST /people/<uuid:uid>/logins/<uuid:login>/<action>": Line(Permission.PERSON_MANAGE, of="person"),
    "POST /people/organisations": Line(Permission.PERSON_MANAGE, everywhere=True),
    "GET /sign-in/city": Line(OPEN, of="nothing"),
    "GET /sign-in/city/done": Line(OPEN, of="nothing"),
    "GET /sign-in/code": Line(OPEN),
    "POST /sign-in/code": Line(OPEN),
    "GET /api/v1/openapi.json": Line(OPEN),
    "GET /api/v1/areas": Line(Permission.PLACE_READ),
    "GET /api/v1/cells": Line(Permission.PLACE_READ),
    "GET /api/v1/points": Line(Permission.PLACE_READ),
    "GET /api/v1/roads": Line(Permission.PLACE_READ),
    "GET /api/v1/areas/<uid>": Line(Permission.PLACE_READ, of="area"),
    "GET /api/v1/cells/<uid>": Line(Permission.PLACE_READ, of="cell"),
    "GET /api/v1/points/<uid>": Line(Permission.PLACE_READ, of="point"),
    "GET /api/v1/roads/<uid>": Line(Permission.PLACE_READ, of="road"),
    "GET /api/v1/cells/load": Line(Permission.PROBLEM_READ),
    "GET /api/v1/problems": Line(Permission.PROBLEM_READ),
    "POST /api/v1/problems": Line(Permission.PROBLEM_CREATE, of="place", outside=403, json=NEW_PROBLEM),
    "GET /api/v1/problems/<uid>": Line(Permission.PROBLEM_READ, of="problem"),
    "GET /api/v1/problems/by-number/<number>": Line(Permission.PROBLEM_READ, of="number"),
    "GET /api/v1/summary": Line(Permission.PROBLEM_READ),
    "GET /api/v1/figures": Line(Permission.PROBLEM_READ),
    "GET /api/v1/figures/problems": Line(Permission.PROBLEM_READ),
    "GET /api/v1/filters": Line(Permission.PLACE_READ),
    "GET /api/v1/search": Line(Permission.PLACE_READ, query={"q": "人民"}),
    "GET /api/v1/tiles/cells/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/tiles/points/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/tiles/roads/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/tiles/problems/<z>/<x>/<y>.mvt": Line(Permission.PROBLEM_READ),
    "GET /api/v1/tiles/base/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/heat/<z>/<x>/<y>.png": Line(Permission.PROBLEM_READ),
    "GET /api/v1/heat/legend": Line(Permission.PROBLEM_READ, query={"z": "14"}),
}
