"""The headquarters' tray."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, request

from gridmap.dispatch.tray import read_tray
from gridmap.people.permissions import Permission
from gridmap.places.cards import Faces
from gridmap.problems.records import read_records
from web.access import needs
from web.api.answering import directory, now
from web.installation import actor, db, installation
from web.pages.problems import app_page

__all__ = ["pages"]

pages = Blueprint("tray", __name__)

_PAGE = 50


@pages.get("/tray")
@needs(Permission.PROBLEM_DISPATCH)
def index() -> str:
    """List what waits for somebody to say whose it is."""
    tray = read_tray(db(), actor(), settings=installation().settings, now=now())
    pages_there = max(-(-len(tray.numbers) // _PAGE), 1)
    asked = request.args.get("page", "1")
    page = min(max(int(asked), 1), pages_there) if asked.isdigit() else 1
    rows = slice((page - 1) * _PAGE, page * _PAGE)
    found = read_records(
        db(),
        tray.numbers[rows].tolist(),
        faces=Faces(directory(), actor()),
        scope=actor().scope(Permission.PROBLEM_DISPATCH),
        moment=now(),
    )
    why = dict(zip(tray.numbers[rows].tolist(), tray.reasons[rows].tolist(), strict=True))
    return app_page(
        "tray.html",
        "tray.js",
        styles=("css/dispatch.css",),
        problems=[
            {**row, "reason": why[row["number"]], "found": _local(row["found_at"])} for row in found.rows
        ],
        total=len(tray.numbers),
        page=page,
        pages=pages_there,
    )


def _local(time: str) -> str:
    return datetime.fromisoformat(time).astimezone(installation().settings.zone).strftime("%Y-%m-%d %H:%M")
