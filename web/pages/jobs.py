"""How far long work is, and stopping it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from web.access import signed_in
from web.installation import actor, installation

pages = Blueprint("jobs", __name__, url_prefix="/jobs")


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
