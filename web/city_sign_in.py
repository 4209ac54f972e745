"""Signing in through the city's identity provider (OpenID Connect, authorization code with PKCE)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, request, session, url_for

from gridmap.errors import NotFoundError, PermissionDeniedError
from gridmap.people.outside import login_of_claims
from gridmap.store.engine import writing
from web.access import open_to_all
from web.account import enter, form, local
from web.installation import installation, now, today

if TYPE_CHECKING:
    from flask import Flask
    from werkzeug.wrappers import Response

    from gridmap.config import Settings

__all__ = ["install", "pages"]

pages = Blueprint("city", __name__, url_prefix="/sign-in/city")

_SIGNED_BY = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures that only the provider can make; not ``none``, and not those that share a secret."""


def install(app: Flask, settings: Settings) -> None:
    """Let `app` know the provider, if there is one."""
    app.jinja_env.globals["city_sign_in"] = settings.oidc_title if settings.oidc_issuer else ""
    if not settings.oidc_issuer:
        return
    from authlib.integrations.flask_client import OAuth

    OAuth(app).register(
        "city",
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret or None,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid profile email",
            "code_challenge_method": "S256",
            "default_timeout": 10,
            **({} if settings.oidc_client_secret else {"token_endpoint_auth_method": "none"}),
        },
    )


def _provider() -> Any:
    if not installation().settings.oidc_issuer:
        raise NotFoundError("There is nothing at this address.")
    return current_app.extensions["authlib.integrations.flask_client"].create_client("city")


@pages.get("")
@open_to_all
def leave() -> Response:
    """Send the browser to the provider."""
    provider = _provider()
    session["after"] = local(request.args.get("next"))
    try:
        answer: Response = provider.authorize_redirect(url_for("city.arrive", _external=True))
    except _refusals() as error:
        return _failed(error)
    return answer


@pages.get("/done")
@open_to_all
def arrive() -> Response:
    """Take what the provider says about whoever comes back."""
    provider, settings = _provider(), installation().settings
    target = session.pop("after", "/")
    try:
        known = provider.load_server_metadata()
        # What the provider lists is not enough: a token must be signed so that nobody else can make it.
        listed = known.get("id_token_signing_alg_values_supported") or ["RS256"]
        known["id_token_signing_alg_values_supported"] = [one for one in listed if one in _SIGNED_BY]
        token = provider.authorize_access_token(
            claims_options={
                "iss": {"essential": True, "values": [settings.oidc_issuer]},
                "aud": {"essential": True, "values": [settings.oidc_client_id]},
                "sub": {"essential": True},
                "exp": {"essential": True},
            }
        )
        claims = token["userinfo"]
    except _refusals() as error:
        return _failed(error)
    try:
        with writing(installation().engine) as db_session:
            login_id = login_of_claims(
                db_session,
                claims,
                issuer=settings.oidc_issuer,
                claim=settings.oidc_claim,
                day=today(),
                now=now(),
            ).id
    except PermissionDeniedError as error:
        return form(target, error)
    return enter(login_id, target)


def _refusals() -> tuple[type[Exception], ...]:
    """What the provider, or the way to it, may end with."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    return RequestException, AuthlibBaseError, JoseError, RuntimeError, ValueError, KeyError


def _failed(error: Exception) -> Response:
    """Say that it did not work; why is for the server's log, as it comes from outside."""
    current_app.logger.warning("Sign-in through the identity provider failed: %r", error)
    return form("/", PermissionDeniedError("Signing in through the city's identity provider did not work."))
