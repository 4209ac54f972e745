"""Who may use each route: one line per route and method, for pages and API alike.

A new route gets a line here; `test_access_matrix` walks them all as every role, from inside and from outside
its limits. `of` names what the address is about, one of the test's `things`; what lies outside somebody's
limits is then hidden (404), or refused where `outside=403` says so. `everywhere`: the permission is needed
for the whole city; what such an address names is outside nobody's limits. What is somebody's own, whoever
else holds the permission, is named as another's. `nothing` is what nobody has. `json`, `form` and `query`
are sent, good enough to reach the check of limits.
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
    headers: dict[str, str] | None = None
    then: Permission | None = None
    """What is needed besides for what is sent."""
    lacking: int = 403
    """How somebody without it is answered."""
    but: dict[str, str] = field(default_factory=dict)
    """Other outcomes by where somebody asks from, for those who hold the permission."""


NEW_PROBLEM = {"uid": None, "category": "A1", "lon": 121.405, "lat": 31.205}
"""In the first community. A uid of None is made up for each request."""
NEW_OFFENCE = {"uid": None, "category": "A1"}
NEW_PLEDGE = {"uid": None, "signed_on": "2026-01-01", "signed_by": "店主"}
SHOP = {"name": "超市", "lon": "121.401", "lat": "31.201"}

WHERE = ("everywhere", "own area", "other area", "own organisation", "other organisation")
HIDDEN = dict.fromkeys(WHERE, "hidden")
"""Not published: for the public it is not there, whoever asks."""
TUS = {
    "Tus-Resumable": "1.0.0",
    "Upload-Offset": "0",
    "Content-Type": "application/offset+octet-stream",
}
NOT_BY_BODY = dict.fromkeys(("own organisation", "other organisation"), "hidden")
"""Patrols are planned by area: who is limited to an organisation plans none."""
PLAN: dict[str, Any] = {
    "of": "plan",
    "then": Permission.PATROL_PLAN,
    "lacking": 404,
    "but": NOT_BY_BODY,
}
"""A plan whose rounds are others': only who plans its area sees it."""
WITHOUT_KEY = dict.fromkeys(WHERE, "refused")
"""A login does not help where a key is asked for."""

ROUTES: dict[str, Line] = {
    "GET /sign-in": Line(OPEN),
    "POST /sign-in": Line(OPEN),
    "POST /sign-out": Line(OPEN),
    "GET /account": Line(SIGNED_IN),
    "POST /account/password": Line(SIGNED_IN),
    "POST /account/sessions/<uuid:uid>/end": Line(SIGNED_IN, of="another's session"),
    "POST /account/sessions/end": Line(SIGNED_IN),
    "GET /points/<uuid:uid>/visits": Line(Permission.PATROL_PLAN, of="point", but=NOT_BY_BODY),
    "POST /points/<uuid:uid>/visits": Line(
        Permission.PATROL_PLAN, of="point", but=NOT_BY_BODY, form={"visit_hours": ""}
    ),
    "GET /": Line(Permission.PLACE_READ),
    "GET /coverage": Line(Permission.PLACE_AUDIT),
    "GET /coverage/repair": Line(Permission.PLACE_DRAW, everywhere=True),
    "POST /coverage/repair": Line(Permission.PLACE_DRAW, everywhere=True),
    "GET /coverage/draw": Line(Permission.PLACE_DRAW, everywhere=True),
    "POST /coverage/draw": Line(Permission.PLACE_DRAW, everywhere=True),
    "GET /inspections": Line(Permission.INSPECTION_PLAN, everywhere=True),
    "POST /inspections": Line(Permission.INSPECTION_PLAN, everywhere=True, form={"name": ""}),
    "GET /inspections/<uuid:uid>": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "GET /inspections/<uuid:uid>/readiness": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "GET /inspections/<uuid:uid>/readiness.xlsx": Line(
        Permission.INSPECTION_PLAN, everywhere=True, of="nothing"
    ),
    "GET /inspections/<uuid:uid>/book.pdf": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "GET /inspections/<uuid:uid>/book": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "POST /inspections/<uuid:uid>/book": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "GET /inspections/<uuid:uid>/book/<uuid:job>.pdf": Line(
        Permission.INSPECTION_PLAN, everywhere=True, of="nothing"
    ),
    "GET /inspections/<uuid:uid>/what-if": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "GET /inspections/<uuid:uid>/posts": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "POST /inspections/<uuid:uid>/posts": Line(
        Permission.INSPECTION_PLAN, everywhere=True, of="nothing", form={"each": "1"}
    ),
    "GET /inspections/deductions": Line(Permission.INSPECTION_PLAN, everywhere=True),
    "GET /inspections/rehearsal": Line(Permission.INSPECTION_PLAN, everywhere=True),
    "GET /inspections/posts": Line(SIGNED_IN),
    "GET /inspections/posts/<uuid:uid>": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "POST /inspections/posts/<uuid:uid>": Line(
        Permission.INSPECTION_PLAN, everywhere=True, of="nothing", form={"person": ""}
    ),
    "POST /inspections/<uuid:uid>/remove": Line(Permission.INSPECTION_PLAN, everywhere=True, of="nothing"),
    "GET /patrols": Line(Permission.PATROL_READ),
    "POST /patrols": Line(Permission.PATROL_PLAN, form={"area": "nothing"}),
    "GET /patrols/<uuid:uid>": Line(Permission.PATROL_READ, **PLAN),
    "GET /patrols/<uuid:uid>/<uuid:route>.gpx": Line(Permission.PATROL_READ, **PLAN),
    "GET /patrols/<uuid:uid>/<uuid:route>.ics": Line(Permission.PATROL_READ, **PLAN),
    "POST /patrols/<uuid:uid>/remove": Line(Permission.PATROL_PLAN, of="plan to go", but=NOT_BY_BODY),
    **{
        f"POST /patrols/<uuid:uid>/{what}": Line(
            Permission.PATROL_PLAN, of="plan", but=NOT_BY_BODY, json={"orders": {}}
        )
        for what in ("check", "change", "improve")
    },
    "POST /patrols/<uuid:uid>/restore": Line(Permission.PATROL_PLAN, of="plan", but=NOT_BY_BODY),
    "GET /export.png": Line(Permission.PROBLEM_EXPORT, query={"bbox": "121.4,31.2,121.41,31.21"}),
    "GET /export.html": Line(Permission.PROBLEM_EXPORT, query={"bbox": "121.4,31.2,121.41,31.21"}),
    "GET /figures": Line(Permission.PROBLEM_READ),
    "GET /forecast": Line(Permission.FORECAST_READ),
    "GET /figures/list": Line(Permission.PROBLEM_READ, query={"measure": "found"}),
    "GET /figures/figures.xlsx": Line(Permission.PROBLEM_EXPORT),
    "GET /imports": Line(Permission.PROBLEM_IMPORT),
    "POST /imports": Line(Permission.PROBLEM_IMPORT),
    "GET /imports/draft/<uuid:uid>": Line(Permission.PROBLEM_IMPORT, of="nothing"),
    "POST /imports/draft/<uuid:uid>/plan": Line(Permission.PROBLEM_IMPORT, of="nothing"),
    "GET /imports/draft/<uuid:uid>/refused.csv": Line(Permission.PROBLEM_IMPORT, of="nothing"),
    "POST /imports/draft/<uuid:uid>/apply": Line(Permission.PROBLEM_IMPORT, of="nothing"),
    "POST /imports/<uuid:uid>/undo": Line(
        Permission.PROBLEM_IMPORT, of="another's import", but={"everywhere": "allowed"}
    ),
    "GET /jobs": Line(SIGNED_IN),
    "GET /jobs/<uid>": Line(SIGNED_IN, of="another's job"),
    "POST /jobs/<uid>/stop": Line(SIGNED_IN, of="another's job"),
    "GET /api/v1/shops": Line(Permission.SHOP_READ),
    "GET /api/v1/shops/<uid>": Line(Permission.SHOP_READ, of="shop"),
    "GET /api/v1/shops/<uid>/offences": Line(Permission.SHOP_READ, of="shop"),
    "POST /api/v1/shops/<uid>/offences": Line(Permission.SHOP_RECORD, of="shop", json=NEW_OFFENCE),
    "POST /api/v1/shops/<uid>/offences/<offence>/evidence": Line(
        Permission.SHOP_RECORD,
        of="shop",
        json={"attachments": ["00000000-0000-4000-8000-000000000000"]},
        # Nobody sent that one.
        but=dict.fromkeys(WHERE, "hidden"),
    ),
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
    "POST /shops/<uuid:uid>/offences/<uuid:offence>/appeal": Line(Permission.SHOP_RECORD, of="shop"),
    "POST /shops/<uuid:uid>/offences/<uuid:offence>/decision": Line(Permission.SHOP_MANAGE, of="shop"),
    "GET /shops/<uuid:uid>/pledges/<uuid:pledge>/scan": Line(Permission.SHOP_READ, of="shop"),
    "POST /shops/<uuid:uid>/pledges/<uuid:pledge>/scan": Line(Permission.SHOP_RECORD, of="shop"),
    "GET /shops/<uuid:uid>/offences/<uuid:offence>/evidence/<uuid:photo>": Line(
        Permission.SHOP_READ, of="shop"
    ),
    "POST /shops/<uuid:uid>/offences/<uuid:offence>/evidence": Line(Permission.SHOP_RECORD, of="shop"),
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
    "GET /api/v1/batches/<uid>/undo": Line(Permission.PROBLEM_READ, of="nothing"),
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
    "GET /accountability": Line(Permission.NOTICE_READ),
    "POST /accountability/<uuid:uid>": Line(Permission.ACCOUNTABILITY_DECIDE, of="accountability"),
    "POST /api/v1/attachments": Line(Permission.EVIDENCE_ADD),
    "GET /api/v1/attachments/<uid>": Line(
        SIGNED_IN, of="attachment", then=Permission.PROBLEM_READ, lacking=404
    ),
    "GET /api/v1/attachments/<uid>/original": Line(Permission.EVIDENCE_ORIGINAL, of="attachment"),
    "GET /api/v1/attachments/<uid>/thumbnail": Line(
        SIGNED_IN, of="attachment", then=Permission.PROBLEM_READ, lacking=404
    ),
    "POST /api/v1/uploads": Line(Permission.EVIDENCE_ADD),
    "GET /api/v1/uploads/<uid>": Line(Permission.EVIDENCE_ADD, of="nothing", headers=TUS),
    "PATCH /api/v1/uploads/<uid>": Line(Permission.EVIDENCE_ADD, of="nothing", headers=TUS),
    "DELETE /api/v1/uploads/<uid>": Line(Permission.EVIDENCE_ADD, of="nothing", headers=TUS),
    "GET /deadlines": Line(Permission.DEADLINE_RULES, everywhere=True),
    "POST /deadlines/categories": Line(Permission.DEADLINE_RULES, everywhere=True),
    "POST /deadlines/categories/<code>": Line(Permission.DEADLINE_RULES, everywhere=True),
    "POST /deadlines/limits": Line(Permission.DEADLINE_RULES, everywhere=True),
    "POST /deadlines/limits/<uuid:uid>/move": Line(Permission.DEADLINE_RULES, everywhere=True, of="limit"),
    "POST /deadlines/limits/<uuid:uid>/remove": Line(Permission.DEADLINE_RULES, everywhere=True, of="limit"),
    "POST /deadlines/steps/<uuid:uid>": Line(
        Permission.DEADLINE_RULES,
        everywhere=True,
        of="step",
        form={"wait": "1", "unit": "working_day"},
    ),
    "GET /dispatch/moves": Line(Permission.DISPATCH_RULES, everywhere=True),
    "POST /dispatch/moves": Line(Permission.DISPATCH_RULES, everywhere=True),
    "POST /dispatch/moves/<uuid:uid>/undo": Line(Permission.DISPATCH_RULES, everywhere=True, of="nothing"),
    "GET /follow": Line(OPEN),
    "GET /follow/<code>": Line(OPEN, of="nothing"),
    "POST /follow/<code>": Line(OPEN, of="nothing"),
    "GET /inbox": Line(SIGNED_IN),
    "POST /inbox/read": Line(SIGNED_IN),
    "GET /joint": Line(Permission.PROBLEM_READ),
    "POST /joint": Line(Permission.JOINT_MANAGE),
    "GET /joint/<uuid:uid>": Line(Permission.PROBLEM_READ, of="operation"),
    "POST /joint/<uuid:uid>": Line(Permission.JOINT_MANAGE, of="operation", form={"what": "end"}),
    "GET /ledger": Line(Permission.PROBLEM_EXPORT),
    "POST /ledger/back": Line(Permission.PROBLEM_EXPORT),
    "GET /ledger/back/<uuid:uid>": Line(Permission.PROBLEM_EXPORT, of="nothing"),
    "POST /ledger/back/<uuid:uid>/apply": Line(Permission.PROBLEM_EXPORT, of="nothing"),
    "POST /ledger/export": Line(Permission.PROBLEM_EXPORT),
    "GET /ledger/file/<uuid:job>": Line(Permission.PROBLEM_EXPORT, of="another's job"),
    "GET /ledger/handover": Line(Permission.PROBLEM_EXPORT),
    "GET /ledger/handover.xlsx": Line(Permission.PROBLEM_EXPORT),
    "GET /ledger/made/<uuid:job>": Line(Permission.PROBLEM_EXPORT, of="another's job"),
    "GET /ledger/negative": Line(Permission.PROBLEM_EXPORT),
    "GET /ledger/negative/list": Line(Permission.PROBLEM_EXPORT, query={"figure": "found"}),
    "GET /ledger/negative.xlsx": Line(Permission.PROBLEM_EXPORT),
    "POST /ledger/revisions/<uuid:uid>/undo": Line(Permission.PROBLEM_EXPORT, of="nothing"),
    "GET /look-back": Line(Permission.PROBLEM_VERIFY),
    "GET /look-back/<uuid:uid>": Line(Permission.LOOK_BACK_PLAN, of="sample"),
    "POST /look-back/checks/<uuid:uid>": Line(Permission.PROBLEM_VERIFY, of="closed"),
    "POST /look-back/draw": Line(Permission.LOOK_BACK_PLAN),
    "GET /notices": Line(Permission.NOTICE_READ),
    "POST /notices": Line(Permission.NOTICE_ISSUE),
    "GET /notices/<uuid:uid>": Line(Permission.NOTICE_READ, of="notice"),
    "POST /notices/<uuid:uid>/answer": Line(Permission.NOTICE_ANSWER, of="notice", form={"answer": "已整改"}),
    "GET /notices/new": Line(Permission.NOTICE_ISSUE),
    "GET /open311/discovery.<any(xml, json):suffix>": Line(OPEN),
    "GET /open311/v2/services.<any(xml, json):suffix>": Line(OPEN),
    "GET /open311/v2/services/<code>.<any(xml, json):suffix>": Line(OPEN, of="nothing"),
    "POST /open311/v2/requests.<any(xml, json):suffix>": Line(OPEN, but=WITHOUT_KEY),
    "GET /open311/v2/requests.<any(xml, json):suffix>": Line(OPEN),
    "GET /open311/v2/requests/<identity>.<any(xml, json):suffix>": Line(OPEN, of="nothing"),
    "POST /open311/v2/servicerequestupdates.<any(xml, json):suffix>": Line(OPEN, but=WITHOUT_KEY),
    "GET /open311/v2/servicerequestupdates.<any(xml, json):suffix>": Line(OPEN),
    "GET /open311/v2/tokens/<token>.<any(xml, json):suffix>": Line(OPEN, of="nothing"),
    "GET /public": Line(OPEN),
    "GET /public/near.json": Line(OPEN, query={"lon": "121.405", "lat": "31.205"}),
    "GET /public/photos/<uuid:uid>": Line(OPEN, of="attachment", but=HIDDEN),
    "GET /public/problems.json": Line(OPEN),
    "GET /public/tiles/base/<int(max=15):z>/<int:x>/<int:y>.mvt": Line(OPEN),
    "GET /report": Line(OPEN),
    "POST /report": Line(OPEN),
    "GET /report/thanks": Line(OPEN),
    "GET /residents": Line(Permission.RESIDENT_MODERATE),
    "GET /residents/keys": Line(Permission.OPEN311_KEYS, everywhere=True),
    "POST /residents/keys": Line(Permission.OPEN311_KEYS, everywhere=True),
    "POST /residents/keys/<uuid:uid>/revoke": Line(Permission.OPEN311_KEYS, everywhere=True, of="key"),
    "POST /residents/notes/<uuid:uid>": Line(Permission.RESIDENT_MODERATE, of="note"),
    "GET /residents/photos/<uuid:uid>": Line(Permission.RESIDENT_MODERATE, of="attachment"),
    "POST /residents/problems/<uuid:uid>": Line(Permission.RESIDENT_MODERATE, of="problem"),
    "GET /tracks": Line(Permission.TRACK_RECORD),
    "POST /tracks": Line(Permission.TRACK_RECORD, form={}),
    "GET /tracks/map.json": Line(Permission.TRACK_RECORD),
    "POST /api/v1/tracks": Line(Permission.TRACK_RECORD),
    "GET /trail": Line(Permission.TRAIL_READ, everywhere=True),
    "GET /trail/<int:seq>": Line(Permission.TRAIL_READ, everywhere=True, of="entry"),
    "GET /api/v1/webhooks": Line(Permission.WEBHOOK_MANAGE, everywhere=True),
    "POST /api/v1/webhooks": Line(Permission.WEBHOOK_MANAGE, everywhere=True),
    **{
        f"{what} /api/v1/webhooks/<uid>{rest}": Line(Permission.WEBHOOK_MANAGE, everywhere=True, of="nothing")
        for what, rest in (("PATCH", ""), ("DELETE", ""), ("GET", "/deliveries"))
    },
    "GET /webhooks": Line(Permission.WEBHOOK_MANAGE, everywhere=True),
    "POST /webhooks": Line(Permission.WEBHOOK_MANAGE, everywhere=True),
    "POST /webhooks/<uuid:uid>/switch": Line(Permission.WEBHOOK_MANAGE, everywhere=True, of="nothing"),
    # A page that says that there is none: nothing is hidden from whoever gets so far.
    "POST /webhooks/<uuid:uid>/try": Line(Permission.WEBHOOK_MANAGE, everywhere=True, of="another"),
    "POST /webhooks/messages/<int:number>/resend": Line(
        Permission.WEBHOOK_MANAGE, everywhere=True, of="no number"
    ),
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
    "POST /api/v1/problems/cells": Line(
        Permission.PROBLEM_CREATE,
        json={"geometry": {"type": "LineString", "coordinates": [[121.405, 31.205], [121.406, 31.205]]}},
    ),
    "GET /api/v1/problems/<uid>": Line(Permission.PROBLEM_READ, of="problem"),
    "GET /api/v1/problems/by-number/<number>": Line(Permission.PROBLEM_READ, of="number"),
    "GET /api/v1/events": Line(Permission.PROBLEM_READ),
    "GET /api/v1/summary": Line(Permission.PROBLEM_READ),
    "GET /api/v1/figures": Line(Permission.PROBLEM_READ),
    "GET /api/v1/forecast": Line(Permission.FORECAST_READ),
    "GET /api/v1/figures/problems": Line(Permission.PROBLEM_READ),
    "GET /api/v1/filters": Line(Permission.PLACE_READ),
    "GET /api/v1/persons": Line(
        Permission.PROBLEM_DISPATCH, query={"organisation": "00000000-0000-4000-8000-000000000000"}
    ),
    "GET /api/v1/search": Line(Permission.PLACE_READ, query={"q": "人民"}),
    "GET /api/v1/tiles/cells/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/tiles/points/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/tiles/roads/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/tiles/problems/<z>/<x>/<y>.mvt": Line(Permission.PROBLEM_READ),
    "GET /api/v1/tiles/base/<z>/<x>/<y>.mvt": Line(Permission.PLACE_READ),
    "GET /api/v1/heat/<z>/<x>/<y>.png": Line(Permission.PROBLEM_READ),
    "GET /api/v1/heat/legend": Line(Permission.PROBLEM_READ, query={"z": "14"}),
}
