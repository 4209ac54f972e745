"""A town with keys for other systems that report to it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from open311_reader import read_xml
from sqlalchemy import select

from gridmap.people.permissions import Actor
from gridmap.places.models import Area, AreaLevel, GridCell
from gridmap.problems.models import Category, Event, Problem
from gridmap.residents.models import Publication, ResidentReport
from gridmap.residents.moderation import create_key, decide_publication
from gridmap.store.engine import reading, writing

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient


@dataclass
class Desk:
    app: Flask
    client: FlaskClient
    key: str
    trusted: str
    area: int

    @property
    def engine(self) -> Any:
        return self.app.extensions["gridmap"].engine

    def post(self, key: str | None = None, suffix: str = "xml", **fields: Any) -> Any:
        form = {"service_code": "0404", "lat": "31.205", "long": "121.405", "description": "车停在盲道上"}
        form |= {name: value for name, value in fields.items() if value is not None}
        form["api_key"] = self.key if key is None else key
        return self.client.post(f"/open311/v2/requests.{suffix}", data=form)

    def made(self, answer: Any) -> str:
        (request,) = read_xml(answer.text)["request"]
        return str(request["service_request_id"])

    def requests(self, **query: Any) -> list[Any]:
        answer = self.client.get("/open311/v2/requests.xml", query_string=query)
        assert answer.status_code == 200, answer.text
        found: list[Any] = read_xml(answer.text).get("request", [])
        return found

    def publish(
        self, uid: str, *, publish: bool = True, text: str = "已审核的文字", photos: Any = ()
    ) -> None:
        with writing(self.engine) as session:
            decide_publication(
                session,
                Actor.owner(),
                uuid.UUID(uid),
                publish=publish,
                text=text,
                photos=photos,
                now=datetime.now(UTC),
            )

    def problem(self, uid: str) -> Any:
        with reading(self.engine) as session:
            return session.execute(
                select(Problem, Publication, ResidentReport)
                .join(Publication, Publication.problem_id == Problem.id)
                .join(ResidentReport, ResidentReport.problem_id == Problem.id)
                .where(Problem.uid == uuid.UUID(uid))
            ).one()

    def events(self, uid: str) -> list[Event]:
        with reading(self.engine) as session:
            return list(
                session.scalars(
                    select(Event)
                    .join(Problem, Problem.id == Event.problem_id)
                    .where(Problem.uid == uuid.UUID(uid))
                    .order_by(Event.id)
                )
            )


def square(west: float, south: float, side: float) -> str:
    east, north = west + side, south + side
    ring = f"{west} {south},{east} {south},{east} {north},{west} {north},{west} {south}"
    return f"SRID=4326;MULTIPOLYGON((({ring})))"


@pytest.fixture
def desk(app: Flask) -> Desk:
    with writing(app.extensions["gridmap"].engine) as session:
        area = Area(code="A", name="东风社区", level=AreaLevel.COMMUNITY, geometry=square(121.4, 31.2, 0.01))
        session.add(area)
        session.flush()
        session.add(GridCell(code="C", name="", area_id=area.id, geometry=square(121.4, 31.2, 0.01)))
        major = Category(code="04", name="街面秩序", name_en="Order in the street")
        session.add(major)
        session.flush()
        session.add_all(
            [
                Category(code="0404", name="机动车乱停放", name_en="Cars", parent_id=major.id),
                Category(code="0801", name="排队超时", name_en="Queue", parent_id=major.id),
            ]
        )
        now = datetime.now(UTC)
        _, key = create_key(session, Actor.owner(), "别的系统", trusted=False, now=now)
        _, trusted = create_key(session, Actor.owner(), "可信系统", trusted=True, now=now)
        return Desk(app, app.test_client(), key, trusted, area.id)
