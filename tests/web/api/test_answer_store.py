"""Whoever has an answer still is told so from its tag alone, also where the answer itself is not kept."""

from __future__ import annotations

import pytest

from gridmap.people.permissions import Role
from web.answer_store import AnswerStore, Body


def test_tags_outlive_what_they_stand_for():
    store = AnswerStore(most_bytes=80)
    store.put("a", Body(b"x" * 10, "text/plain", tag="1"))
    store.put("large", Body(b"x" * 11, "text/plain", tag="2"))
    for n in range(9):
        store.put(f"b{n}", Body(b"x" * 10, "text/plain", tag="3"))
    assert [(store.get(key), store.tag(key)) for key in ("a", "large", "c")] == [
        (None, "1"),
        (None, "2"),
        (None, None),
    ]


@pytest.mark.parametrize("path", ["/api/v1/cells", "/api/v1/problems?limit=5"])
def test_an_answer_too_large_to_keep_is_worked_out_once_for_who_has_it(app, sign_in, town, monkeypatch, path):
    here = app.extensions["gridmap"]
    made, put = [], AnswerStore.put

    def counted(self, key, body):
        made.append(key)
        put(self, key, body)

    monkeypatch.setattr(AnswerStore, "put", counted)
    monkeypatch.setattr(here.answers, "_most", 8)
    client = sign_in(Role.AREA_MANAGER, area_id=town.communities[0].id)
    first = client.get(path)
    again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.headers["ETag"], len(made)) == (304, first.headers["ETag"], 1)
    stranger = sign_in(Role.AREA_MANAGER, area_id=town.communities[1].id)
    assert stranger.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
