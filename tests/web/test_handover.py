"""Handing over on a person's page: first what would move, then that and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from gridmap.people.models import Person
from gridmap.people.permissions import Role
from gridmap.places.models import Responsibility
from gridmap.places.models import ResponsibilityRole as Holds
from gridmap.store.engine import reading, writing

from .api.conftest import town

__all__ = ["town"]


def test_what_would_move_is_shown_and_only_that_moves(app, sign_in, town):
    engine = app.extensions["gridmap"].engine
    client = sign_in()
    with writing(engine) as session:
        leaver, heir = Person(name="交出人"), Person(name="接手人")
        session.add_all([leaver, heir])
        session.flush()
        cells = [town.cells[0].id, town.cells[1].id]
        session.add(Responsibility(cell_id=cells[0], role=Holds.GRID_WORKER, person_id=leaver.id))
        address, ids = f"/people/{leaver.uid}/handover", (leaver.id, heir.id)
        form = {"to": str(heir.uid), "day": (datetime.now(UTC) + timedelta(days=3)).date().isoformat()}

    def holders():
        with reading(engine) as session:
            query = select(Responsibility.cell_id, Responsibility.person_id, Responsibility.valid_to)
            return session.execute(query.where(Responsibility.person_id.in_(ids))).all()

    before = holders()
    page = client.post(address, data=form)
    assert page.status_code == 200
    assert "责任地点 1 处、未结问题 0 件" in page.text
    assert f"<li>{town.cells[0].code}" in page.text
    assert holders() == before
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page.text).group(1)
    agreed = form | {"seen": seen}
    for changed in ({"to": ""}, {"leaves": "1"}):
        assert client.post(address, data=agreed | changed).status_code == 409
    with writing(engine) as session:
        session.add(Responsibility(cell_id=cells[1], role=Holds.GRID_WORKER, person_id=ids[0]))
    held = holders()
    refused = client.post(address, data=agreed)
    assert refused.status_code == 409
    assert "此间已有变化" in refused.text
    assert holders() == held
    page = client.post(address, data=form).text
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page).group(1)
    assert client.post(address, data=form | {"seen": seen}).status_code == 302
    assert {cell for cell, person, _ in holders() if person == ids[1]} == set(cells)


def test_a_preview_says_nothing_of_what_lies_outside_ones_limits(app, sign_in, town):
    engine, ours, theirs = app.extensions["gridmap"].engine, *town.communities
    with writing(engine) as session:
        leaver = Person(name="交出人", organisation_id=town.squads[0].id)
        session.add(leaver)
        session.flush()
        for cell in town.cells:
            session.add(Responsibility(cell_id=cell.id, role=Holds.GRID_WORKER, person_id=leaver.id))
        address = f"/people/{leaver.uid}/handover"
    form = {"to": "", "day": (datetime.now(UTC) + timedelta(days=3)).date().isoformat()}
    manager = sign_in(Role.AREA_MANAGER, area_id=ours.id)
    text = manager.post(address, data=form).text
    own = [cell for cell in town.cells if cell.area_id == ours.id]
    foreign = [cell for cell in town.cells if cell.area_id == theirs.id]
    assert own
    assert foreign
    assert f"责任地点 {len(own)} 处" in text
    assert not [cell.code for cell in foreign if f"<li>{cell.code} " in text]
