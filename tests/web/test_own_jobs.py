"""The jobs that somebody began, on the pages where they begin; and nobody else's."""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from gridmap.jobs import Jobs, JobState
from gridmap.people.models import Login
from gridmap.people.permissions import Role
from gridmap.store.engine import reading

PAGES = {
    "/patrols": "patrols",
    "/inspections": "route-book",
    "/forecast": "forecast",
    "/ledger": "ledger",
    "/coverage/draw": "propose",
}


def begun(app, kind, work, title):
    """Start a job of the headquarters' login, as its page would."""
    here = app.extensions["gridmap"]
    with reading(here.engine) as session:
        login = session.scalar(select(Login.id).where(Login.username == "headquarters-None-None"))
    jobs = here.jobs
    return jobs, jobs.start(kind, work, owner=login, title=title, page=lambda uid: f"/there?job={uid}")


def waited(jobs, job):
    for _ in range(400):
        if (found := jobs.find(job.uid, owner=job.owner)).state is not JobState.RUNNING:
            return found
        time.sleep(0.01)
    raise AssertionError("the job has not ended")


@pytest.mark.parametrize(("page", "kind"), PAGES.items())
def test_what_one_has_begun_is_listed_with_its_progress_and_its_end_and_nobody_else_sees_it(
    app, sign_in, page, kind
):
    client, other = sign_in(), sign_in(Role.SUPERVISION)
    held, moved = threading.Event(), threading.Event()

    def work(progress):
        progress(3, 8, "第三步")
        moved.set()
        held.wait(60)
        return {}

    jobs, job = begun(app, kind, work, "老城区早班")
    moved.wait(60)
    for address in (page, f"/jobs?kind={kind}"):
        text = client.get(address).text
        assert f"/there?job={job.uid}" in text, address
        assert ("老城区早班" in text, "第三步" in text, 'max="8.0" value="3.0"' in text) == (True, True, True)
        assert (f"/jobs/{job.uid}/stop" in text) is (kind != "forecast")
        found = other.get(address)
        assert ("老城区早班" in found.text, job.uid in found.text) == (False, False)
    assert other.get(f"/jobs?kind={kind}").status_code == 200
    assert f"job-{job.uid}" not in client.get(f"/jobs?kind={kind}&but={job.uid}").text
    held.set()
    waited(jobs, job)
    text = client.get(page).text
    assert ("已完成" in text, "<progress" in text) == (True, False)
    assert job.uid not in client.get("/jobs?kind=inspection").text


def test_what_ended_long_ago_and_what_has_no_page_is_not_listed(app, sign_in):
    client = sign_in()
    jobs, job = begun(app, "ledger", lambda _: {}, "上午的台账")
    waited(jobs, job)
    assert "上午的台账" in client.get("/jobs?kind=ledger").text
    file = app.extensions["gridmap"].settings.data_dir / "jobs" / f"{job.uid}.json"
    record = json.loads(file.read_text())
    long_ago = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
    file.write_text(json.dumps(record | {"ended_at": long_ago}))
    assert "上午的台账" not in client.get("/jobs?kind=ledger").text
    file.write_text(json.dumps(record | {"page": ""}))
    assert "上午的台账" not in client.get("/jobs?kind=ledger").text
    file.write_text("{")
    assert client.get("/jobs?kind=ledger").status_code == 200


def test_a_job_whose_server_has_gone_is_listed_as_failed(app, sign_in):
    client = sign_in()
    jobs, job = begun(app, "ledger", lambda _: {}, "上午的台账")
    waited(jobs, job)
    file = app.extensions["gridmap"].settings.data_dir / "jobs" / f"{job.uid}.json"
    # No process has this number: it is above what systems give.
    file.write_text(
        json.dumps(json.loads(file.read_text()) | {"state": "running", "ended_at": "", "pid": 2**30})
    )
    text = client.get("/jobs?kind=ledger").text
    assert ("失败" in text, "服务器已重启" in text) == (True, True)


def test_forgetting_takes_what_has_ended_and_nothing_that_runs(tmp_path):
    jobs, held = Jobs(tmp_path), threading.Event()

    def work(progress):
        held.wait(60)
        return {}

    job = jobs.start("ledger", work, owner=7)
    since = datetime.now(UTC) - timedelta(hours=1)
    jobs.forget(job.uid, owner=7)
    assert [one.uid for one in jobs.own(7, ["ledger"], since=since)] == [job.uid]
    assert jobs.own(8, ["ledger"], since=since) == []
    held.set()
    waited(jobs, job)
    jobs.forget(job.uid, owner=7)
    assert jobs.own(7, ["ledger"], since=since) == []


def test_what_ended_more_than_a_week_ago_is_removed_when_the_next_job_begins(tmp_path):
    jobs, held = Jobs(tmp_path), threading.Event()

    def wait(progress):
        held.wait(60)
        return {}

    def age(job, days):
        for file in tmp_path.glob(f"{job.uid}*"):
            os.utime(file, (time.time() - days * 86_400,) * 2)

    runs = jobs.start("ledger", wait, owner=7)
    old, recent = (jobs.start("ledger", lambda _: {}, owner=7) for _ in range(2))
    for job in (old, recent):
        waited(jobs, job)
    jobs.stop(old.uid, owner=7)
    (tmp_path / f"{uuid.uuid4().hex}.17.new").write_text("{")
    (left,) = tmp_path.glob("*.new")
    os.utime(left, (0, 0))
    for job, days in ((runs, 8), (old, 8), (recent, 6)):
        age(job, days)
    last = jobs.start("ledger", lambda _: {}, owner=7)
    waited(jobs, last)
    assert {file.name for file in tmp_path.iterdir()} == {f"{job.uid}.json" for job in (runs, recent, last)}
    held.set()
    waited(jobs, runs)
