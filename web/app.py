"""The web application."""

from __future__ import annotations

import threading
from datetime import timedelta
from importlib import import_module

from flask import g, request, session
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from gridmap import __version__
from gridmap.config import LANGUAGES, Settings
from gridmap.deadlines.ticker import start_ticker
from gridmap.installation import open_store
from gridmap.jobs import Jobs
from gridmap.language import current_language, gettext, listed, ngettext, use_language
from gridmap.webhooks.sender import start_sender
from web import access, account, city_sign_in, errors, limits, navigation, security, times
from web.api import register as api
from web.api.uploads import MethodOverride
from web.assets import asset
from web.background import KINDS, STOPS, own_jobs
from web.installation import Installation, close_db, installation
from web.open311 import routes as open311
from web.pages import account as own_account
from web.pages import (
    account_codes,
    account_tokens,
    coverage,
    deadlines,
    deductions,
    dispatch_rules,
    exports,
    figures,
    forecast,
    imports,
    inbox,
    inspections,
    jobs,
    joint,
    ledger,
    ledger_lists,
    look_back,
    moves,
    notices,
    patrol_changes,
    patrols,
    people,
    point_visits,
    posts,
    problems,
    public,
    readiness,
    rehearsal,
    residents,
    route_book,
    shop_evidence,
    shop_forms,
    shops,
    tracks,
    tray,
    webhooks,
    what_if,
)
from web.pages import map as map_page
from web.pages import trail as trail_page

__all__ = ["create_app", "from_environment"]


def create_app(settings: Settings) -> OpenAPI:
    """Build the application for one installation.

    Raises
    ------
    StoreError
        If the database is not prepared for this version.
    """
    app = OpenAPI(
        __name__,
        info=Info(title="gridmap", version=__version__),
        security_schemes={"session": {"type": "apiKey", "in": "cookie", "name": "gridmap"}},
        doc_ui=False,
        validation_error_status=422,
        validation_error_callback=errors.validation_failed,
        static_folder="static",
        template_folder="templates",
    )
    app.config.update(
        SECRET_KEY=settings.signing_key(),
        # The prefix makes browsers refuse the cookie from anywhere but this very host, over HTTPS.
        SESSION_COOKIE_NAME="__Host-gridmap" if settings.secure_cookies else "gridmap",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=settings.session_minutes_idle),
        # The cookie is written again when it was last seen minutes ago; see `web.sessions`.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=settings.upload_megabytes * 2**20,
        WTF_CSRF_TIME_LIMIT=None,
    )
    if settings.trusted_proxies:
        proxies = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)  # type: ignore[method-assign]
    engine = open_store(settings)
    app.extensions["gridmap"] = Installation.start(settings, engine, Jobs(settings.data_dir / "jobs"))

    app.before_request(_choose_language)
    city_sign_in.install(app, settings)
    access.install(app)
    limits.install(app, settings)
    security.install(app)
    errors.install(app)
    navigation.install(app)
    app.teardown_appcontext(close_db)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]
    times.install(app)
    app.jinja_env.filters["listed"] = listed
    app.jinja_env.globals.update(
        asset=asset,
        current_language=current_language,
        current_actor=lambda: g.get("actor"),
        unread=inbox.unread,
        datum_name=imports.datum_name,
        kind_title=imports.kind_title,
        own_jobs=own_jobs,
        job_kinds=KINDS,
        job_stops=STOPS,
    )
    for blueprint in (
        account.pages,
        city_sign_in.pages,
        coverage.pages,
        dispatch_rules.pages,
        deadlines.pages,
        exports.pages,
        figures.pages,
        forecast.pages,
        ledger.pages,
        ledger_lists.pages,
        imports.pages,
        inbox.pages,
        jobs.pages,
        joint.pages,
        inspections.pages,
        readiness.pages,
        what_if.pages,
        deductions.pages,
        route_book.pages,
        rehearsal.pages,
        posts.pages,
        look_back.pages,
        patrol_changes.pages,
        patrols.pages,
        point_visits.pages,
        map_page.pages,
        trail_page.pages,
        own_account.pages,
        public.pages,
        residents.pages,
        moves.pages,
        account_codes.pages,
        account_tokens.pages,
        people.pages,
        shops.pages,
        shop_evidence.pages,
        shop_forms.pages,
        problems.pages,
        tracks.pages,
        tray.pages,
        webhooks.pages,
        open311.pages,
        notices.pages,
    ):
        app.register_blueprint(blueprint)
    # Other systems send a key with each request, and no cookie.
    api.install(app)
    app.wsgi_app = MethodOverride(app.wsgi_app)  # type: ignore[method-assign]
    return app


def from_environment() -> OpenAPI:
    """Build the application from the environment; the server's workers call it."""
    app = create_app(Settings.from_environment())
    threading.Thread(target=_warm, args=(app.extensions["gridmap"],), name="warm", daemon=True).start()
    start_sender(app.extensions["gridmap"].engine, app.extensions["gridmap"].settings)
    start_ticker(app.extensions["gridmap"].engine, app.extensions["gridmap"].settings)
    return app


def _warm(begun: Installation) -> None:
    """Read what the first map needs while somebody signs in."""
    import_module("web.folium_host")
    begun.reader.warm()


def _choose_language() -> None:
    asked = request.args.get("language")
    if asked in LANGUAGES:
        session["language"] = asked
    use_language(session.get("language") or installation().settings.language)
