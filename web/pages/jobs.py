"""How far long work is, and stopping it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request

from web.access import signed_in
from web.background import KINDS
from web.installation import actor, installation

pages = Blueprint("jobs", __name__, url_prefix="/jobs")


@pages.get("")
@signed_in
def own() -> str:
    """Show the jobs of this login of some kinds, as a part of a page."""
    kinds = [kind for kind in request.args.getlist("kind") if kind in KINDS]
    job = None
    if request.args.get("but"):
        job = installation().jobs.find(request.args["but"], owner=actor().login_id)
    return render_template("own_jobs.html", kinds=kinds, job=job)


@pages.get("/<uid>")
@signed_in
def show(uid: str) -> Response:
    """A job of this login as JSON."""
    job = installation().jobs.find(uid, owner=actor().login_id)
    return jsonify(
        state=job.state.value,
        done=job.done,
        total=job.total,
        what=job.what,
        message=job.message,
        result=job.result,
    )


@pages.post("/<uid>/stop")
@signed_in
def stop(uid: str) -> tuple[str, int]:
    """Ask a job of this login to stop."""
    installation().jobs.stop(uid, owner=actor().login_id)
    return "", 204
