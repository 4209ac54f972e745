"""How a request of the API is read, and how its answer leaves: checked, remembered, not sent twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, get_type_hints
from urllib.parse import parse_qsl

import shapely
from flask import Response, abort, request
from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, to_json

from gridmap import __version__
from gridmap.language import current_language
from gridmap.people.permissions import Permission
from web.answer_store import Body
from web.errors import validation_failed
from web.installation import actor, clocks, db, installation, now, today
from web.validation import expected

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from numpy.typing import NDArray

    from gridmap.hotspots.view import View, ViewFilter
    from gridmap.people.permissions import Actor
    from gridmap.places.directory import Directory

__all__ = [
    "Body",
    "answers",
    "as_tile",
    "change_told",
    "directory",
    "feature_collection",
    "features_text",
    "now",
    "today",
    "view_of",
]

JSON = "application/json"
GEOJSON = "application/geo+json"
TILE = "application/vnd.mapbox-vector-tile"
PNG = "image/png"


class Asking(Protocol):
    """A query that says which problems are meant."""

    def asked(self, zone: ZoneInfo) -> ViewFilter:
        """Return the filter as a value."""


View_ = TypeVar("View_", bound=Callable[..., "Body"])


def directory() -> Directory:
    """Return the names as of this request."""
    return installation().reader.directory(db(), clocks())


def change_told() -> int | None:
    """Up to which change of the city an answer is true; None for who sees a part of it.

    It counts every change, also those of which they may know nothing.
    """
    return clocks().change if actor().may_everywhere(Permission.PROBLEM_READ) else None


def view_of(query: Asking, *, permission: Permission = Permission.PROBLEM_READ) -> View:
    """Open the view that a request asks for, limited to where its reader holds a permission."""
    return installation().reader.view(
        db(),
        clocks(),
        query.asked(installation().settings.zone),
        scope=actor().scope(permission),
        now=now(),
    )


@lru_cache(maxsize=4096)
def _parsed(model: type[BaseModel], text: str) -> BaseModel | ValidationError:
    """Parameters from a query string; the same text is read once."""
    pairs = [(name, value) for name, value in parse_qsl(text, keep_blank_values=True) if name != "language"]
    try:
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValidationError.from_exception_data(
                model.__name__,
                [_fault(name, expected("Expected this parameter once.")) for name in twice],
            )
        return model.model_validate(dict(pairs))
    except ValidationError as error:
        return error


def _fault(name: str, error: PydanticCustomError) -> InitErrorDetails:
    return InitErrorDetails(type=error, loc=(name,), input="")


def _checked(model: type[BaseModel], text: str) -> BaseModel:
    found = _parsed(model, text)
    if isinstance(found, ValidationError):
        abort(validation_failed(found))
    return found


def _checked_path(model: type[BaseModel], values: dict[str, Any]) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        abort(validation_failed(error))


def answers(
    *,
    of: str,
    seconds: Callable[[Any], int | None] | int | None = None,
    media: str = JSON,
    own: bool = False,
) -> Callable[[View_], Callable[..., Response]]:
    """Check a view's parameters, and answer from memory or with 304 where nothing has changed.

    The framework would read the schema of every model at every request; here a query string is read once.

    Parameters
    ----------
    of
        What the answer depends on: ``problems``, ``ground`` (places, people and names, on a day), ``shops``
        or ``base``.
    seconds
        How long an answer stays true while nothing is changed, as it depends on the time: for every request,
        or worked out from its query. None: until the day ends.
    media
        Type of the answer.
    own
        Whether it says what this login itself can do, not only what its roles and limits can.
    """

    def wrap(view: View_) -> Callable[..., Response]:
        hints = get_type_hints(view)
        path_model, query_model = hints.get("path"), hints["query"]

        @wraps(view)
        def answer(**values: Any) -> Response:
            arguments: dict[str, Any] = {"query": _checked(query_model, request.query_string.decode())}
            if path_model is not None:
                arguments["path"] = _checked_path(path_model, values)
            span = seconds(arguments["query"]) if callable(seconds) else seconds
            key, store = _key(of, span, media, own=own), installation().answers
            tag = store.tag(key)
            known = None if tag is None else _known(tag)
            if known is not None:
                return _dressed(Response(status=304), known)
            body = store.get(key)
            if body is None:
                body = view(**arguments)
                body = replace(body, tag=_tag(of, media, body, own=own))
                store.put(key, body)
            known = _known(body.tag)
            if known is not None:
                return _dressed(Response(status=304), known)
            full = f"{body.version}.{body.tag}" if body.version else body.tag
            return _dressed(Response(body.content, content_type=body.kind), full)

        # The framework's switch: it leaves the parameters to this wrapper.
        vars(answer)["__delay_validate_request__"] = True
        return answer

    return wrap


def _seen_by(reader: Actor) -> tuple[Any, ...]:
    only = None if reader.only is None else sorted(reader.only)
    return (repr(reader.holdings), only, reader.person_id, current_language())


def _asked(of: str, media: str, *, own: bool) -> tuple[Any, ...]:
    """Who asks for what."""
    seen = () if of == "base" else _seen_by(actor())
    login = actor().login_id if own else None
    return (__version__, installation().store_id, seen, login, media, request.path, request.query_string)


def _short(*parts: Any) -> str:
    return hashlib.blake2b(repr(parts).encode(), digest_size=15).hexdigest()


def _tag(of: str, media: str, body: Body, *, own: bool) -> str:
    """Stand for what an answer says to this reader: what changes out of their sight changes no tag."""
    said = hashlib.blake2b(body.content, digest_size=15).digest()
    return _short(*_asked(of, media, own=own), said)


def _key(of: str, span: int | None, media: str, *, own: bool) -> str:
    """Everything an answer depends on, as a short text."""
    at = clocks()
    depends: tuple[Any, ...] = {
        "problems": (at.change, at.ground, at.base),
        "ground": (at.ground, at.base),
        "base": (at.base,),
        "shops": (at.shops, at.ground, at.base),
    }[of]
    moment = today().isoformat() if span is None else int(now().timestamp()) // span
    return _short(*_asked(of, media, own=own), depends, moment)


def _known(tag: str) -> str | None:
    """The tag by which the client holds this very answer, with the version that may stand before it."""
    etags = request.if_none_match
    found = (one for one in (*etags.as_set(include_weak=True),) if one.rpartition(".")[2] == tag)
    return next(found, None)


def _dressed(response: Response, tag: str) -> Response:
    # A version makes the tag strong: a change may be meant for it alone (If-Match).
    response.set_etag(tag, weak="." not in tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def as_json(model: type[BaseModel], content: Any) -> Body:
    """Check an answer against its description and write it."""
    return Body(model.model_validate(content).model_dump_json(exclude_unset=True).encode(), JSON)


def as_tile(content: bytes) -> Body:
    """Write a vector tile."""
    return Body(content, TILE)


def features_text(rows: list[dict[str, Any]], geometry: NDArray[Any]) -> list[bytes]:
    """GeoJSON features as text, their geometry written in one go; `uid` becomes the id as well."""
    shapes = shapely.to_geojson(geometry)
    return [
        b'{"type":"Feature","id":"%s","geometry":%s,"properties":%s}'
        % (row["uid"].encode(), shape.encode(), to_json(row))
        for row, shape in zip(rows, shapes, strict=True)
    ]


def feature_collection(
    model: type[BaseModel], rows: list[dict[str, Any]], geometry: NDArray[Any], **members: Any
) -> Body:
    """Write a page of features; the first one and the page's own members are checked."""
    features = features_text(rows, geometry)
    head = to_json({"type": "FeatureCollection", **members})[:-1]
    model.model_validate_json(b'%s,"features":[%s]}' % (head, b",".join(features[:1])))
    return Body(b'%s,"features":[%s]}' % (head, b",".join(features)), GEOJSON)
