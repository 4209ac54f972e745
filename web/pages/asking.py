"""Reading what an address asks of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from flask import abort, make_response, render_template, request
from pydantic import BaseModel, ValidationError

from web.validation import say

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["asked"]

Model = TypeVar("Model", bound=BaseModel)


def asked(model: type[Model], *, but: Collection[str] = (), blank: bool = True) -> Model:
    """Read the address; what is wrong is said on a page (422).

    Parameters
    ----------
    model
        What is expected.
    but
        Names in the address that belong to the page itself.
    blank
        Whether a field left blank is read; it says nothing otherwise.
    """
    given = {
        name: value
        for name, value in request.args.items()
        if name not in {"language", *but} and (blank or value != "")
    }
    try:
        return model.model_validate(given)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, f['loc']))}: {say(f)}" for f in error.errors(include_url=False))
        abort(make_response(render_template("error.html", status=422, detail=said), 422))
