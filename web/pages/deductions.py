"""What a problem costs on an assessors' route: the numbers that count, and where they are from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, make_response, render_template
from sqlalchemy import select

from gridmap.errors import InvalidValueError
from gridmap.inspections.deduction_table import FILE, read_stated
from gridmap.language import explain
from gridmap.people.permissions import Permission
from gridmap.problems.models import Category
from web.access import needs
from web.api.answering import directory
from web.installation import db, installation

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

__all__ = ["pages"]

pages = Blueprint("deductions", __name__, url_prefix="/inspections")

_SEVERITIES = range(1, 6)


@pages.get("/deductions")
@needs(Permission.INSPECTION_PLAN, everywhere=True)
def show() -> Response:
    """Show the numbers that count; where the installation's file makes no sense, why."""
    folder, fault = installation().settings.data_dir, ""
    try:
        stated = read_stated(folder)
    except InvalidValueError as error:
        fault = explain(error)
        stated = read_stated(None)
    labels = {one.code: one.label for one in directory().categories}
    severities = db().execute(
        select(Category.code, Category.severity)
        .where(Category.valid_to.is_(None), Category.parent_id.is_not(None))
        .order_by(Category.code)
    )
    of: dict[int, list[str]] = {severity: [] for severity in _SEVERITIES}
    for code, severity in severities:
        of.setdefault(severity, []).append(labels.get(code, code))
    page = render_template(
        "inspection_deductions.html",
        stated=stated,
        file=FILE,
        fault=fault,
        present=(folder / FILE).is_file(),
        severities=_SEVERITIES,
        categories=of,
    )
    return make_response(page, 422 if fault else 200)
