"""Headers that keep pages to this host, and the nonce of this request's scripts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import current_app, g, request
from flask_wtf.csrf import CSRFProtect

from web import sessions
from web.access import is_stateless
from web.installation import installation

if TYPE_CHECKING:
    from flask import Flask, Response

__all__ = ["install", "nonce"]


def nonce() -> str:
    """Return the nonce of this request's inline scripts and styles."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return str(g.nonce)


def _policy() -> str:
    tiles = " ".join(_tile_hosts())
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce()}'",
            # Scripts position and colour through the object model, which needs no leave; attributes would.
            f"style-src 'self' 'nonce-{nonce()}'",
            f"img-src 'self' data: blob: {tiles}".rstrip(),
            "media-src 'self' blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _tile_hosts() -> list[str]:
    settings = installation().settings
    hosts = ["https://*.tianditu.gov.cn"] if settings.tianditu_key else []
    if settings.gcj02_tiles_url:
        scheme, _, rest = settings.gcj02_tiles_url.partition("://")
        hosts.append(f"{scheme}://{rest.split('/')[0].replace('{s}', '*')}")
    return hosts


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", _policy())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if installation().settings.secure_cookies:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.endpoint == "static" and "v" in request.args:
        # The address names the content: another content has another one.
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
    # Answers depend on who asks; a shared cache must not hand them to somebody else.
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.add("Cookie")
    return response


def _refuse_forged() -> None:
    """Require the form's token of every change that a cookie lets in.

    What shows a token of its own instead of a cookie cannot be forged by another site, and what takes no
    notice of cookies has nothing to forge.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in _SAFE or view is None or is_stateless(view):
        return
    if sessions.by_token() and g.get("recognised") is not None:
        return
    if current_app.config["WTF_CSRF_ENABLED"]:
        current_app.extensions["csrf"].protect()


_SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}


_PUBLIC = ("/report", "/follow/", "/open311/")


def _limit_public() -> None:
    """Take no more from those without a login than a report with its photos can be."""
    if request.path.startswith(_PUBLIC):
        settings = installation().settings
        request.max_content_length = (settings.resident_photos * settings.photo_megabytes + 1) * 2**20


def install(app: Flask) -> None:
    """Add headers, cross-site request protection and the nonce to `app`."""
    # Checked after the request's origin is known; see `_refuse_forged`.
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    app.before_request(_limit_public)
    CSRFProtect(app)
    app.before_request(_refuse_forged)
    app.after_request(_headers)
    app.jinja_env.globals["nonce"] = nonce
