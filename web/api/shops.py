"""Shops: lists and cards, pledges, offences."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import shapely
from flask import Response, url_for

from gridmap.errors import InvalidValueError, NotFoundError
from gridmap.evidence.records import describe
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.places.responsibilities import holders_of
from gridmap.shops.evidence import name_proofs, photos_of, proven_of
from gridmap.shops.models import AppealState
from gridmap.shops.offences import record_offence
from gridmap.shops.pledges import sign_pledge
from gridmap.shops.queries import (
    ShopFilter,
    Shops,
    counting_since,
    offences_of,
    pledges_of,
    problems_of,
    read_shops,
)
from gridmap.shops.records import explain_advice, offence_record, pledge_record, shop_record
from gridmap.store.engine import writing
from web.access import needs
from web.api.answering import GEOJSON, Body, answers, as_json, directory, feature_collection, now, today
from web.api.blueprint import SHOPS, api
from web.api.models import Fault
from web.api.parameters import NoQuery, UidPath
from web.api.places import close_cursor, open_cursor
from web.api.shop_models import (
    OffenceAnswer,
    OffenceBody,
    OffencePath,
    OffenceProof,
    OffencesAnswer,
    PledgeAnswer,
    PledgeBody,
    PledgesAnswer,
    ProofsBody,
    ShopCard,
    ShopPage,
    ShopsQuery,
)
from web.installation import actor, db, installation

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from gridmap.shops.models import Offence

_NOT_THERE = "There is no such shop, or it lies outside what you may see."


@api.get("/shops", tags=[SHOPS], responses={"200": ShopPage})
@needs(Permission.SHOP_READ)
@answers(of="shops", media=GEOJSON)
def shops(query: ShopsQuery) -> Body:
    """List shops that match, page by page."""
    names = directory()
    area, road = names.areas.find(query.area or ""), names.roads.find(query.road or "")
    for name, entry in (("area", area), ("road", road)):
        if getattr(query, name) and entry is None:
            raise InvalidValueError(
                "There is nothing with the uid {found}.", parameter=name, found=getattr(query, name)
            )
    found = read_shops(
        db(),
        actor(),
        ShopFilter(
            text=query.q.strip(),
            areas=names.below(area.id) if area else None,
            road=road.id if road else None,
            pledge=query.pledge,
            repeated=query.repeated,
            appealed=query.appealed,
            box=query.bbox,
        ),
        day=today(),
        settings=installation().settings,
        after=open_cursor("shops", query.cursor),
        limit=query.limit,
    )
    following = close_cursor("shops", found.rows[-1]["id"]) if found.more else None
    rows = [shop_record(row, directory=names, actor=actor()) for row in found.rows]
    return feature_collection(ShopPage, rows, found.geometry, next=following)


def _one(session: Session, uid: str) -> Shops:
    found = read_shops(session, actor(), ShopFilter(), day=today(), settings=installation().settings, uid=uid)
    if not found.rows:
        raise NotFoundError(_NOT_THERE)
    return found


def explained(session: Session, row: dict[str, Any]) -> str:
    """Say which step follows for a shop, why, and for how much of it there are pictures."""
    proven = proven_of(session, row["id"], counting_since(today(), installation().settings))
    return explain_advice(row["advice"], proven=proven)


@api.get("/shops/<uid>", tags=[SHOPS], responses={"200": ShopCard, "404": Fault})
@needs(Permission.SHOP_READ)
@answers(of="shops")
def shop(path: UidPath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """Show one shop: its pledge, where it stands on the ladder, who answers for it."""
    found = _one(db(), path.uid)
    row = found.rows[0]
    faces = Faces(directory(), actor())
    holders = holders_of(db(), "shop", [row["id"]], today()).get(row["id"], [])
    return as_json(
        ShopCard,
        {
            **shop_record(row, directory=directory(), actor=actor()),
            "id": row["uid"],
            "geometry": shapely.geometry.mapping(found.geometry[0]),
            "next_step_why": explained(db(), row),
            "responsibilities": [faces.holder(holder) for holder in holders],
        },
    )


def sees_persons(shop: dict[str, Any]) -> bool:
    """Whether the reader may see who signs for a shop and who is in its pictures."""
    place = shop["area_id"], shop["organisation_id"]
    return actor().may(Permission.PERSON_READ) and actor().scope(Permission.PERSON_READ).covers(*place)


def _proofs(session: Session, shop: dict[str, Any], found: list[Offence]) -> dict[int, list[dict[str, Any]]]:
    uids = {one.id: str(one.uid) for one in found}
    said = {}
    for offence_id, rows in photos_of(session, uids).items():
        where = {"uid": shop["uid"], "offence": uids[offence_id]}
        said[offence_id] = [
            {
                **{name: one[name] for name in _OF_PROOF},
                "url": url_for("shop_evidence.show", **where, photo=one["uid"]),
                "thumbnail_url": url_for("shop_evidence.show", **where, photo=one["uid"], small=1),
            }
            for one in describe(session, rows)
        ]
    return said


_OF_PROOF = tuple(name for name in OffenceProof.model_fields if not name.endswith("url"))


def offence_records(session: Session, shop: dict[str, Any], found: list[Offence]) -> list[dict[str, Any]]:
    """Say of a shop's offences what the reader may know."""
    since = counting_since(today(), installation().settings)
    problems = problems_of(session, actor(), found)
    faces = Faces(directory(), actor())
    proofs = _proofs(session, shop, found) if sees_persons(shop) else None
    return [
        offence_record(
            one,
            faces=faces,
            counts=one.at >= since and one.appeal_state is not AppealState.UPHELD,
            problem=problems.get(one.problem_id) if one.problem_id else None,
            evidence=None if proofs is None else proofs.get(one.id, []),
        )
        for one in found
    ]


def pledge_records(session: Session, shop: dict[str, Any]) -> list[dict[str, Any]]:
    """Say of a shop's pledges what the reader may know."""
    sees = sees_persons(shop)
    return [pledge_record(one, sees_owner=sees) for one in pledges_of(session, shop["id"])]


@api.get("/shops/<uid>/offences", tags=[SHOPS], responses={"200": OffencesAnswer, "404": Fault})
@needs(Permission.SHOP_READ)
@answers(of="shops")
def offences(path: UidPath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """List a shop's offences, newest first."""
    row = _one(db(), path.uid).rows[0]
    return as_json(OffencesAnswer, {"offences": offence_records(db(), row, offences_of(db(), row["id"]))})


@api.get("/shops/<uid>/pledges", tags=[SHOPS], responses={"200": PledgesAnswer, "404": Fault})
@needs(Permission.SHOP_READ)
@answers(of="shops")
def pledges(path: UidPath, query: NoQuery) -> Body:  # noqa: ARG001 - it takes none
    """List a shop's pledges, newest first."""
    row = _one(db(), path.uid).rows[0]
    return as_json(PledgesAnswer, {"pledges": pledge_records(db(), row)})


_WRITTEN: dict[str, Any] = {"tags": [SHOPS]}


@api.post(
    "/shops/<uid>/offences",
    **_WRITTEN,
    responses={"200": OffenceAnswer, "201": OffenceAnswer, "404": Fault, "409": Fault},
)
@needs(Permission.SHOP_RECORD)
def write_offence(path: UidPath, body: OffenceBody) -> Response:
    """Record an offence and the step that was taken; 201, or 200 where the same uid was sent before."""
    settings = installation().settings
    with writing(installation().engine) as session:
        made, fresh = record_offence(
            session,
            actor(),
            uuid.UUID(path.uid),
            body.offence(settings.zone),
            settings=settings,
            now=now(),
        )
        if body.attachments:
            name_proofs(session, actor(), made.uid, body.attachments, settings=settings, now=now())
        (said,) = offence_records(session, _one(session, path.uid).rows[0], [made])
    answer = as_json(OffenceAnswer, said)
    return Response(answer.content, status=201 if fresh else 200, content_type=answer.kind)


@api.post(
    "/shops/<uid>/offences/<offence>/evidence",
    **_WRITTEN,
    responses={"200": OffenceAnswer, "404": Fault, "409": Fault},
)
@needs(Permission.SHOP_RECORD)
def prove(path: OffencePath, body: ProofsBody) -> Response:
    """Let photos and videos that were sent to `attachments` or `uploads` prove an offence."""
    settings, number = installation().settings, uuid.UUID(path.offence)
    with writing(installation().engine) as session:
        shop = _one(session, path.uid).rows[0]
        if number not in {one.uid for one in offences_of(session, shop["id"])}:
            raise NotFoundError("There is no such offence, or it lies outside what you may see.")
        made = name_proofs(session, actor(), number, body.attachments, settings=settings, now=now())
        (said,) = offence_records(session, shop, [made])
    answer = as_json(OffenceAnswer, said)
    return Response(answer.content, content_type=answer.kind)


@api.post(
    "/shops/<uid>/pledges",
    **_WRITTEN,
    responses={"200": PledgeAnswer, "201": PledgeAnswer, "404": Fault, "409": Fault},
)
@needs(Permission.SHOP_RECORD)
def write_pledge(path: UidPath, body: PledgeBody) -> Response:
    """Take a signed pledge in; 201, or 200 where the same uid was sent before."""
    with writing(installation().engine) as session:
        made, fresh = sign_pledge(
            session,
            actor(),
            uuid.UUID(path.uid),
            body.pledge(),
            settings=installation().settings,
            now=now(),
        )
        row = _one(session, path.uid).rows[0]
        said = next(one for one in pledge_records(session, row) if one["uid"] == str(made.uid))
    answer = as_json(PledgeAnswer, said)
    return Response(answer.content, status=201 if fresh else 200, content_type=answer.kind)
