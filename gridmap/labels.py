"""What the values of enumerations are called, in the reader's language."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from geodata.travel import Profile
from gridmap.coverage.audit import FindingKind
from gridmap.deadlines.models import AccountabilityState, NoticeKind, StepKind
from gridmap.evidence.models import AttachmentState, Doubt, MediaKind, Stage
from gridmap.imports.models import ImportState
from gridmap.inspections.alternatives import Way
from gridmap.inspections.posts import Emptiness
from gridmap.inspections.readiness import Reason
from gridmap.language import gettext
from gridmap.look_back.models import CheckResult
from gridmap.patrols.models import VisitKind
from gridmap.people.models import CredentialKind, OrganisationKind
from gridmap.people.permissions import Permission, Role
from gridmap.places.models import AreaLevel, ResponsibilityRole
from gridmap.places.sites import SiteType
from gridmap.problems.models import EventKind, Flag, LinkKind, RequestState, Source, State, TimeUnit
from gridmap.residents.models import Moderation, Said
from gridmap.shops.models import AppealState, Step
from gridmap.webhooks.models import DeliveryState, Target
from gridmap.workflow.transitions import Action

if TYPE_CHECKING:
    from collections.abc import Mapping
    from enum import Enum

__all__ = ["LABELS", "flag_labels", "label", "site_label"]


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when it is shown."""
    return text


LABELS: Mapping[type[Enum], Mapping[Any, str]] = MappingProxyType(
    {
        State: {
            State.RECORDED: _("recorded"),
            State.CHECKED: _("checked"),
            State.DISPATCHED: _("dispatched"),
            State.ACCEPTED: _("accepted"),
            State.FIXED: _("fixed, to be verified"),
            State.VERIFIED: _("verified"),
            State.CLOSED: _("closed"),
            State.SENT_BACK: _("sent back for rework"),
            State.RETURNED: _("returned by the organisation"),
            State.SUSPENDED: _("suspended"),
            State.REJECTED: _("rejected"),
            State.MERGED: _("merged with another"),
        },
        Action: {
            Action.CHECK: _("file it: real, and no duplicate"),
            Action.REJECT: _("reject"),
            Action.MERGE: _("merge with another"),
            Action.DISPATCH: _("dispatch"),
            Action.REDISPATCH: _("dispatch to another"),
            Action.ACCEPT: _("accept"),
            Action.RETURN: _("return: not ours"),
            Action.FIX: _("report as fixed"),
            Action.VERIFY: _("verify"),
            Action.SEND_BACK: _("send back for rework"),
            Action.CLOSE: _("close"),
            Action.ASK_SUSPENSION: _("ask for suspension"),
            Action.ASK_EXTENSION: _("ask for more time"),
            Action.DECLINE: _("decline the request"),
            Action.SUSPEND: _("suspend"),
            Action.EXTEND: _("give more time"),
            Action.RESUME: _("resume"),
            Action.LOOK_BACK: _("looked back: still good"),
            Action.REOPEN: _("reopen"),
            Action.RESTORE: _("restore"),
        },
        Source: {
            Source.PATROL: _("patrol"),
            Source.ASSESSOR: _("assessor"),
            Source.RESIDENT: _("resident"),
            Source.HOTLINE: _("hotline"),
            Source.DEPARTMENT: _("another department"),
            Source.CAMERA: _("camera"),
            Source.OTHER: _("other source"),
        },
        Moderation: {
            Moderation.HELD: _("waits to be looked at"),
            Moderation.PUBLISHED: _("published"),
            Moderation.HIDDEN: _("not published"),
        },
        Said: {
            Said.REMARK: _("remark"),
            Said.SOLVED: _("says it is solved"),
            Said.NOT_SOLVED: _("says it is not solved"),
        },
        Step: {
            Step.TOLD: _("told"),
            Step.TAUGHT: _("taught"),
            Step.ORDERED: _("ordered to put it right"),
            Step.GOODS_HELD: _("goods held"),
            Step.BANNED: _("banned"),
        },
        AppealState: {
            AppealState.OPEN: _("appeal open"),
            AppealState.UPHELD: _("appeal upheld: does not count"),
            AppealState.DISMISSED: _("appeal dismissed"),
        },
        AreaLevel: {
            AreaLevel.CITY: _("city"),
            AreaLevel.DISTRICT: _("district"),
            AreaLevel.SUBDISTRICT: _("subdistrict"),
            AreaLevel.COMMUNITY: _("community"),
        },
        FindingKind: {
            FindingKind.GAP: _("Gaps between cells"),
            FindingKind.OVERLAP: _("Ground that two cells hold"),
            FindingKind.DUPLICATE: _("Cells that are there twice"),
            FindingKind.NESTED: _("Cells inside another cell"),
            FindingKind.INVALID: _("Cells with a broken shape"),
            FindingKind.EMPTY: _("Cells without ground"),
            FindingKind.DETACHED: _("Detached parts of cells"),
            FindingKind.OUTSIDE: _("Cells beyond their area"),
            FindingKind.AREA_WITHOUT_CELLS: _("Communities without cells"),
            FindingKind.CELL_WITHOUT_HOLDER: _("Cells nobody holds"),
            FindingKind.POINT_WITHOUT_HOLDER: _("Points nobody holds"),
            FindingKind.ROAD_WITHOUT_HOLDER: _("Roads nobody holds"),
            FindingKind.PERSON_WITHOUT_DUTY: _("People who hold nothing"),
            FindingKind.POINT_OUTSIDE_CELLS: _("Points outside every cell"),
        },
        ResponsibilityRole: {
            ResponsibilityRole.GRID_WORKER: _("grid worker"),
            ResponsibilityRole.GRID_LEADER: _("grid leader"),
            ResponsibilityRole.LEADER_IN_CHARGE: _("leader in charge"),
            ResponsibilityRole.POLICE: _("community police officer"),
            ResponsibilityRole.POINT_OWNER: _("point owner"),
            ResponsibilityRole.ROAD_OWNER: _("road owner"),
            ResponsibilityRole.CLEANING: _("cleaning"),
            ResponsibilityRole.ENFORCEMENT: _("enforcement"),
        },
        OrganisationKind: {
            OrganisationKind.HEADQUARTERS: _("headquarters"),
            OrganisationKind.SUBDISTRICT_OFFICE: _("subdistrict office"),
            OrganisationKind.COMMUNITY: _("community committee"),
            OrganisationKind.SQUAD: _("enforcement squad"),
            OrganisationKind.DEPARTMENT: _("department"),
            OrganisationKind.PROPERTY: _("property company"),
            OrganisationKind.CONTRACTOR: _("contractor"),
            OrganisationKind.OTHER: _("other organisation"),
        },
        Role: {
            Role.HEADQUARTERS: _("campaign headquarters"),
            Role.SUPERVISION: _("supervision group"),
            Role.AREA_MANAGER: _("area manager"),
            Role.ORGANISATION_LEAD: _("head of an organisation"),
            Role.GRID_WORKER: _("grid worker (login)"),
            Role.PATROL_MEMBER: _("patrol member"),
            Role.ASSESSOR: _("assessor (login)"),
            Role.READ_ONLY: _("read only"),
            Role.PUBLIC: _("the public"),
        },
        SiteType: {
            SiteType.MARKET: _("market"),
            SiteType.SUPERMARKET: _("supermarket"),
            SiteType.MALL: _("shopping centre"),
            SiteType.SHOP_STREET: _("shop street"),
            SiteType.SCHOOL: _("school"),
            SiteType.HOSPITAL: _("hospital"),
            SiteType.PUBLIC_SERVICE: _("public service hall"),
            SiteType.POLICE: _("police station"),
            SiteType.BANK: _("bank"),
            SiteType.POST_OFFICE: _("post office"),
            SiteType.STATION: _("station"),
            SiteType.BUS_STOP: _("bus stop"),
            SiteType.PARK: _("park"),
            SiteType.SQUARE: _("square"),
            SiteType.CULTURE: _("culture venue"),
            SiteType.SPORTS: _("sports venue"),
            SiteType.ATTRACTION: _("sight"),
            SiteType.HOTEL: _("hotel"),
            SiteType.ESTATE: _("housing estate"),
            SiteType.CONSTRUCTION: _("construction site"),
            SiteType.PARKING: _("car park"),
            SiteType.TOILET: _("public toilet"),
            SiteType.WASTE: _("waste collection"),
            SiteType.MAIN_ROAD: _("main road"),
            SiteType.BACK_STREET: _("back street"),
            SiteType.VILLAGE: _("village in the city"),
            SiteType.OTHER: _("other site"),
        },
        EventKind: {
            EventKind.RECORDED: _("problem recorded"),
            EventKind.ASSIGNED: _("assigned"),
            EventKind.STATE: _("state changed"),
            EventKind.IMPORTED: _("imported"),
            EventKind.UNDONE: _("taken back"),
            EventKind.JOINT: _("joint operation"),
            EventKind.EDITED: _("corrected"),
            EventKind.EVIDENCE: _("evidence added"),
            EventKind.RESIDENT: _("said by a resident"),
            EventKind.PUBLICATION: _("decided for the public"),
            EventKind.ESCALATED: _("urged"),
        },
        Reason: {
            Reason.FIX: _("fix first"),
            Reason.UNSEEN: _("they will hardly see it"),
            Reason.NOBODY: _("no organisation is responsible for it yet: dispatch it"),
            Reason.NO_HANDS: _("its organisation has no hands"),
            Reason.TOO_LATE: _("no working time is left before it is passed"),
            Reason.TOO_LONG: _("takes longer than its organisation has before it is passed"),
            Reason.AT_LIMIT: _("so much is wrong at this place that fixing one brings nothing"),
            Reason.OUTWEIGHED: _("the hands bring more elsewhere"),
        },
        Way: {
            Way.GIVEN: _("in this order"),
            Way.QUICKEST: _("in the quickest order"),
            Way.REVERSED: _("the other way round"),
            Way.SHORTEST: _("by the shortest ways"),
        },
        Emptiness: {
            Emptiness.NOBODY: _("nobody is responsible for the point or its cell"),
            Emptiness.TOO_FEW: _("fewer people are responsible here than are wanted"),
            Emptiness.ELSEWHERE: _("who is responsible here must be elsewhere at that time"),
        },
        StepKind: {
            StepKind.REMIND: _("reminder"),
            StepKind.NOTICE: _("supervision notice to the organisation"),
            StepKind.LEADER: _("told to the leader in charge"),
            StepKind.ACCOUNTABILITY: _("put on the accountability list"),
        },
        NoticeKind: {
            NoticeKind.RECTIFICATION: _("rectification notice"),
            NoticeKind.SUPERVISION: _("supervision notice"),
        },
        AccountabilityState: {
            AccountabilityState.OPEN: _("not decided"),
            AccountabilityState.EXCUSED: _("excused"),
            AccountabilityState.TALKED: _("admonishing talk"),
            AccountabilityState.CRITICISED: _("criticised in a bulletin"),
            AccountabilityState.REFERRED: _("referred to the discipline office"),
        },
        Stage: {
            Stage.FOUND: _("when found"),
            Stage.BEFORE: _("before fixing"),
            Stage.AFTER: _("after fixing"),
            Stage.LOOK_BACK: _("looked at again"),
            Stage.PLEDGE: _("pledge"),
            Stage.OFFENCE: _("violation of a shop"),
            Stage.OTHER: _("other evidence"),
        },
        MediaKind: {
            MediaKind.PHOTO: _("photo"),
            MediaKind.VIDEO: _("video"),
            MediaKind.SCAN: _("scan"),
        },
        Doubt: {
            Doubt.PLACE: _("taken elsewhere"),
            Doubt.TIME: _("taken at another time"),
            Doubt.REUSED: _("the same file proves another problem or another stage"),
        },
        Permission: {
            Permission.PLACE_READ: _("seeing areas, cells, points and roads"),
            Permission.PLACE_IMPORT: _("importing places and everything else"),
            Permission.PLACE_DRAW: _("drawing and mending cells"),
            Permission.PLACE_AUDIT: _("the coverage audit"),
            Permission.PERSON_READ: _("seeing who holds a place"),
            Permission.PERSON_PHONE: _("seeing whole phone numbers"),
            Permission.PERSON_IMPORT: _("importing rosters"),
            Permission.PERSON_MANAGE: _("keeping persons and logins, giving roles below one's own, handover"),
            Permission.PROBLEM_READ: _("seeing problems, counts and heat"),
            Permission.PROBLEM_CREATE: _("recording a problem"),
            Permission.PROBLEM_IMPORT: _("importing problems"),
            Permission.PROBLEM_EXPORT: _("exporting views"),
            Permission.PROBLEM_CHECK: _("checking, rejecting, merging and restoring problems"),
            Permission.PROBLEM_DISPATCH: _("giving problems to organisations"),
            Permission.PROBLEM_FIX: _("accepting, returning, fixing; asking for time"),
            Permission.PROBLEM_VERIFY: _("verifying, sending back, looking back, reopening"),
            Permission.PROBLEM_CLOSE: _("closing problems"),
            Permission.PROBLEM_APPROVE: _("suspending, extending, resuming, declining"),
            Permission.DISPATCH_RULES: _("changing the rules of dispatch"),
            Permission.WEBHOOK_MANAGE: _("saying which systems and group chats are told"),
            Permission.DEADLINE_RULES: _("changing limits of time and the steps after them"),
            Permission.NOTICE_READ: _("seeing notices and the accountability list"),
            Permission.NOTICE_ISSUE: _("issuing rectification and supervision notices"),
            Permission.NOTICE_ANSWER: _("answering a notice for the organisation"),
            Permission.ACCOUNTABILITY_DECIDE: _("saying what becomes of an entry on the accountability list"),
            Permission.LOOK_BACK_PLAN: _("drawing closed problems to be looked at again"),
            Permission.JOINT_MANAGE: _("planning joint operations and counting their results"),
            Permission.PATROL_PLAN: _("planning the patrols of an area, and seeing all of their rounds"),
            Permission.PATROL_READ: _("seeing one's own rounds"),
            Permission.INSPECTION_PLAN: _(
                "laying assessors' routes, seeing what lies along them, posting people; for the whole city"
            ),
            Permission.FORECAST_READ: _(
                "where problems are to be expected, learned from those within one's limits"
            ),
            Permission.EVIDENCE_ADD: _("adding photos and videos"),
            Permission.EVIDENCE_ORIGINAL: _("fetching originals with what the camera wrote"),
            Permission.SHOP_READ: _("seeing shops, their pledges and offences"),
            Permission.SHOP_RECORD: _("recording offences, pledges and appeals"),
            Permission.SHOP_MANAGE: _("keeping the list of shops, deciding appeals"),
            Permission.TRACK_RECORD: _("recording one's own tracks, and seeing them"),
            Permission.TRACK_READ: _("seeing who walked where within one's limits, and what was covered"),
            Permission.TRAIL_READ: _("seeing who changed what, everywhere at once"),
            Permission.RESIDENT_MODERATE: _("looking at what residents send, publishing and hiding it"),
            Permission.RESIDENT_CONTACT: _("seeing who reported"),
            Permission.OPEN311_KEYS: _("making and revoking keys of other systems"),
        },
        Profile: {
            Profile.FOOT: _("on foot"),
            Profile.BICYCLE: _("by bicycle"),
            Profile.CAR: _("by patrol car"),
        },
        TimeUnit: {
            TimeUnit.WORKING_HOUR: _("working hours"),
            TimeUnit.WORKING_DAY: _("working days"),
            TimeUnit.URGENT_HOUR: _("urgent hours"),
            TimeUnit.URGENT_DAY: _("urgent days"),
            TimeUnit.CALENDAR_DAY: _("calendar days"),
        },
        Target: {
            Target.STANDARD: _("another system (JSON, signed)"),
            Target.WECOM: _("WeCom group robot"),
            Target.DINGTALK: _("DingTalk group robot"),
        },
        DeliveryState: {
            DeliveryState.WAITING: _("to be sent"),
            DeliveryState.DELIVERED: _("delivered"),
            DeliveryState.GIVEN_UP: _("given up"),
        },
        Flag: {
            Flag.DEFAULT_COORDINATE: _("place unknown (default coordinate)"),
            Flag.IMPOSSIBLE_TIMES: _("impossible times"),
            Flag.OUTSIDE_CELLS: _("outside every cell"),
        },
        ImportState: {ImportState.APPLIED: _("applied"), ImportState.UNDONE: _("undone")},
        AttachmentState: {
            AttachmentState.PROCESSING: _("being made ready"),
            AttachmentState.READY: _("ready"),
            AttachmentState.REFUSED: _("refused"),
        },
        LinkKind: {
            LinkKind.MERGED: _("merged into the other"),
            LinkKind.RECURRENCE: _("recurrence of the other"),
        },
        RequestState: {
            RequestState.OPEN: _("waits for a decision"),
            RequestState.GRANTED: _("granted"),
            RequestState.DECLINED: _("declined"),
            RequestState.WITHDRAWN: _("withdrawn"),
        },
        CheckResult: {CheckResult.GOOD: _("still good"), CheckResult.FAILED: _("bad again")},
        VisitKind: {
            VisitKind.POINT: _("inspection point"),
            VisitKind.PROBLEM: _("problem"),
            VisitKind.ROAD: _("priority road"),
            VisitKind.CORNER: _("corner where problems are to be expected"),
        },
        CredentialKind: {
            CredentialKind.SESSION: _("session of a browser"),
            CredentialKind.TOKEN: _("token for a machine"),
        },
    }
)
"""English names per enumeration; the keys of the catalogue. Members of two may be equal texts."""


def label(member: Enum) -> str:
    """Name of an enumeration's value in the language in force."""
    return gettext(LABELS[type(member)][member])


def flag_labels(flags: int) -> list[str]:
    """Names of the flags set on a record."""
    return [label(flag) for flag in Flag if flag and flags & flag]


def site_label(kind: str) -> str:
    """Name of a type of site; one that an import brought and nobody has named stands for itself."""
    return label(SiteType(kind)) if kind in set(SiteType) else kind
