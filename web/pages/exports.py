"""A view as a picture, or as one file that needs nothing else."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import shapely
from flask import Blueprint, render_template

from gridmap.language import gettext
from gridmap.people.permissions import Permission
from gridmap.places.extent import from_openstreetmap
from web import appearance
from web.access import needs
from web.answer_store import Body
from web.api.answering import answers, now
from web.export_picture import cell_colour, draw_base, draw_picture, heat_layer
from web.export_scene import MOST_PROBLEMS, ExportQuery, Scene, filters_in_words, gather
from web.installation import db, installation

pages = Blueprint("exports", __name__)

_LEAFLET = Path(__file__).parents[1] / "static" / "vendor" / "leaflet"
_MINUTE = 60


@pages.get("/export.png")
@needs(Permission.PROBLEM_EXPORT)
@answers(of="problems", seconds=_MINUTE, media="image/png")
def picture(query: ExportQuery) -> Body:
    """Draw the view on the server."""
    return Body(draw_picture(gather(query)), "image/png")


@pages.get("/export.html")
@needs(Permission.PROBLEM_EXPORT)
@answers(of="problems", seconds=_MINUTE, media="text/html")
def file(query: ExportQuery) -> Body:
    """One file with the view in it, to send and to open anywhere, without a network."""
    scene = gather(query)
    zone = installation().settings.zone
    west, south, east, north = scene.frame.box
    background = draw_base(scene.frame).convert("RGBA")
    if (heat := heat_layer(scene)) is not None:
        background.alpha_composite(heat)
    text = render_template(
        "export.html",
        leaflet_script=(_LEAFLET / "leaflet.js").read_text(encoding="utf-8"),
        leaflet_style=_inlined((_LEAFLET / "leaflet.css").read_text(encoding="utf-8")),
        filters=filters_in_words(query),
        moment=(query.at or now()).astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        scene=scene,
        legend=cell_colour(scene)[1] if scene.cells else [],
        most=MOST_PROBLEMS,
        credit=from_openstreetmap(db()),
        data={
            "bounds": [[south, west], [north, east]],
            "zoom": scene.frame.zoom,
            "background": _data_uri(background),
            **_shapes(scene),
        },
    )
    return Body(text.encode(), "text/html; charset=utf-8")


def _inlined(style: str) -> str:
    """Leaflet's style without its pictures, which nothing here uses."""
    return "\n".join(line for line in style.splitlines() if "url(" not in line)


def _data_uri(image: Any) -> str:
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=86)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _shapes(scene: Scene) -> dict[str, Any]:
    colours, _ = cell_colour(scene) if scene.cells else ({}, [])

    def feature(row: dict[str, Any], **more: Any) -> dict[str, Any]:
        geometry = shapely.geometry.mapping(shapely.set_precision(row["geometry"], 1e-6, mode="pointwise"))
        said = {"name": row["name"] or row["code"], "code": row["code"], "holder": row["holder"] or ""}
        return {"type": "Feature", "geometry": geometry, "properties": said | more}

    return {
        "cells": [
            feature(c, fill=colours[c["uid"]], open=c["open"], overdue=c["overdue"], held=c["held"])
            for c in scene.cells
        ],
        "roads": [
            feature(r, stroke=appearance.ROADS.get(r["level"], appearance.ROADS[2])[0], hours=r["hours"])
            for r in scene.roads
        ],
        "points": [
            feature(
                {**p, "geometry": shapely.point_on_surface(p["geometry"])},
                fill=appearance.SITES.get(p["site_type"], appearance.SITES[""])[0],
                type=p["type_name"],
            )
            for p in scene.points
        ],
        "problems": [[round(lat, 6), round(lon, 6), what, late] for lon, lat, what, late in scene.problems],
        "words": {
            "nobody": gettext("Nobody holds this cell"),
            "open": gettext("Unresolved"),
            "overdue": gettext("Overdue"),
        },
    }
