"""Settings: one frozen object, read from the environment once at each edge."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gridmap.errors import InvalidValueError, SettingError
from gridmap.figures.formulas import chosen_rates
from gridmap.hours import parse_hours
from gridmap.language import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "Settings"]


def _setting(default: Any, doc: str) -> Any:
    return field(default=default, metadata={"doc": doc})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an installation can set; each field is read from ``GRIDMAP_<FIELD>``."""

    data_dir: Path = _setting(Path(".data"), "Folder of the embedded store, the base map and derived files.")
    database_url: str = _setting(
        "", "SQLAlchemy URL of a PostGIS database. Empty: the embedded SpatiaLite store in the data folder."
    )
    host: str = _setting("127.0.0.1", "Address the server listens on.")
    port: int = _setting(8330, "Port the server listens on.")
    workers: int = _setting(1, "Server processes.")
    language: str = _setting("zh_CN", "Language of pages and messages until a user chooses: zh_CN or en.")
    timezone: str = _setting("Asia/Shanghai", "Time zone in which times are shown and imported.")
    working_hours: str = _setting(
        "08:00-12:00,14:00-18:00",
        "Hours of a working day in which working hours and working days are counted.",
    )
    check_hours: int = _setting(2, "Working hours within which a record is checked; 0: no limit.")
    dispatch_hours: int = _setting(
        2, "Working hours within which a checked or returned problem is dispatched; 0: no limit."
    )
    verify_hours: int = _setting(4, "Working hours within which a fixed problem is verified; 0: no limit.")
    answer_days: int = _setting(3, "Working days within which an organisation answers a supervision notice.")
    escalation_minutes: int = _setting(
        5, "Every how many minutes the server reminds and escalates; 0: only by command."
    )
    secret_key: str = _setting(
        "",
        "Key that signs sessions. Empty: made once and kept in the data folder, for its owner only.",
    )
    secure_cookies: bool = _setting(
        default=False, doc="Send cookies over HTTPS only; for wherever HTTPS is served."
    )
    session_minutes_idle: int = _setting(
        720, "A session that was not used for so many minutes has ended: 720 is longer than a shift."
    )
    session_hours: int = _setting(168, "A session ends so many hours after the sign-in at the latest.")
    code_roles: str = _setting(
        "", "Roles that need one-time codes to sign in, separated by commas. Empty: whoever wants to."
    )
    oidc_issuer: str = _setting(
        "", "Address of the city's identity provider (OpenID Connect), as its tokens state it. Empty: none."
    )
    oidc_client_id: str = _setting("", "What the provider calls this installation.")
    oidc_client_secret: str = _setting("", "The secret shared with the provider. Empty: a public client.")
    oidc_claim: str = _setting(
        "preferred_username", "Claim that holds the user name; email counts only if it is verified."
    )
    oidc_title: str = _setting("统一身份认证", "What the button at the sign-in says.")
    open_requests_per_minute: int = _setting(
        300, "Requests a minute that one address may make without a login. 0: any number."
    )
    writes_per_minute: int = _setting(
        6000, "Changes a minute that one login may make: a runaway script. 0: any number."
    )
    limits_url: str = _setting(
        "", "redis://… where the requests of all server processes are counted. Empty: each gets its share."
    )
    trusted_proxies: int = _setting(
        0, "How many proxies stand before the server, whose word about the caller's address is believed."
    )
    cell_code_digits: int = _setting(
        3,
        "Length of the sequence in a unit-grid code: 3 by national standard, 2 by the older sector one.",
    )
    tianditu_key: str = _setting("", "Key of the Tianditu online base map. Empty: not offered.")
    gcj02_tiles_url: str = _setting(
        "",
        "Address template, with {x}, {y} and {z}, of an online base map drawn in GCJ-02. Empty: none.",
    )
    upload_megabytes: int = _setting(256, "Largest file accepted for import, in megabytes.")
    figure_denominators: str = _setting(
        "",
        "What rates are divided by where a city leaves the standard: rate=count with commas between.",
    )
    road_reach_metres: float = _setting(
        60.0, "A problem farther than this from every priority road belongs to none, in metres."
    )
    site_reach_metres: float = _setting(
        100.0,
        "A problem within this of an inspection point lies near it for rules of dispatch, in metres.",
    )
    duplicate_metres: float = _setting(
        50.0,
        "Open problems within this are offered as possible duplicates to whoever records one, in metres.",
    )
    recurrence_metres: float = _setting(
        30.0, "A problem within this of a closed one of its category has come back, in metres."
    )
    recurrence_days: int = _setting(
        90, "A problem found within so many days after a closing has come back, in days."
    )
    photo_megabytes: int = _setting(30, "Largest photo or scan accepted as evidence, in megabytes.")
    photo_megapixels: int = _setting(120, "Photos with more pixels are refused, in millions.")
    photo_edge: int = _setting(2000, "Longer side of the copy of a photo that is shown, in pixels.")
    video_megabytes: int = _setting(200, "Largest video accepted as evidence, in megabytes.")
    video_seconds: int = _setting(120, "Longest video accepted as evidence, in seconds.")
    evidence_per_problem: int = _setting(60, "Photos and videos that one problem may have.")
    evidence_per_hour: int = _setting(300, "Photos and videos that one login may send within an hour.")
    evidence_metres: float = _setting(
        300.0, "A photo taken farther than this from the stated place is marked, in metres."
    )
    evidence_minutes: float = _setting(
        120.0, "A photo taken more than this before or after the stated time is marked, in minutes."
    )
    decoding_megabytes: int = _setting(2048, "Memory in which one photo or video is decoded, in megabytes.")
    decoding_seconds: int = _setting(60, "Time in which one photo or video is decoded, in seconds.")
    webhook_seconds: float = _setting(
        5.0, "Seconds between looks for messages to send to webhooks; 0: the server sends none."
    )
    resident_reports_per_hour: int = _setting(
        10, "Reports that one address may send from the public page within an hour."
    )
    resident_photos: int = _setting(3, "Photos that may come with one report of a resident.")
    resident_data_days: int = _setting(
        180, "Days for which name, telephone number and e-mail address of a reporter are kept."
    )
    open311_jurisdiction: str = _setting(
        "", "Name by which Open311 clients call this jurisdiction. Empty: any is taken."
    )
    open311_contact: str = _setting("", "Who to ask about the Open311 interface, as its discovery says it.")
    offence_lapse_months: int = _setting(
        12, "Months after which an offence of a shop no longer counts; 0: never."
    )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises
        ------
        SettingError
            Naming the variable, what was expected and what was found.
        """
        environ = os.environ if environ is None else environ
        known = {f.name: f for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, one in known.items():
            text = environ.get(f"GRIDMAP_{name.upper()}")
            if text:
                values[name] = _parse(f"GRIDMAP_{name.upper()}", text, type(one.default))
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Raise SettingError for the first value that cannot work."""
        if self.language not in LANGUAGES:
            raise SettingError(
                "Expected {name} to be one of {expected}; found {found!r}.",
                name="GRIDMAP_LANGUAGE",
                expected=", ".join(LANGUAGES),
                found=self.language,
            )
        if self.cell_code_digits not in (2, 3):
            raise SettingError(
                "Expected {name} to be one of {expected}; found {found!r}.",
                name="GRIDMAP_CELL_CODE_DIGITS",
                expected="2, 3",
                found=self.cell_code_digits,
            )
        for name in ("session_minutes_idle", "session_hours"):
            if getattr(self, name) < 1:
                raise SettingError(
                    "Expected {name} to be 1 or more; found {found!r}.",
                    name=f"GRIDMAP_{name.upper()}",
                    found=getattr(self, name),
                )
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise SettingError(
                "Expected {name} to be a time zone such as Asia/Shanghai; found {found!r}.",
                name="GRIDMAP_TIMEZONE",
                found=self.timezone,
            ) from error

        _check_working_hours(self.working_hours)
        chosen_rates(self.figure_denominators)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return ZoneInfo(self.timezone)

    @property
    def store_url(self) -> str:
        """The database's URL: the stated one, or the embedded store in the data folder."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'gridmap.sqlite').resolve()}"

    def signing_key(self) -> str:
        """Return the stated secret key, or the one of this installation, made at first use."""
        if self.secret_key:
            return self.secret_key
        path = self.data_dir / "secret_key"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        except FileExistsError:
            pass
        return path.read_text()


def _check_working_hours(text: str) -> None:
    try:
        spans = parse_hours(text)
    except InvalidValueError:
        spans = ()
    edges = [minute for span in spans for minute in span]
    if not edges or edges != sorted(set(edges)):
        raise SettingError(
            "Expected {name} to be hours in order, such as 08:00-12:00,14:00-18:00; found {found!r}.",
            name="GRIDMAP_WORKING_HOURS",
            found=text,
        )


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"0", "false", "no", "off"}:
            return False
        raise SettingError("Expected {name} to be 1 or 0; found {found!r}.", name=name, found=text)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError as error:
            raise SettingError(
                "Expected {name} to be a number; found {found!r}.", name=name, found=text
            ) from error
    return Path(text) if issubclass(kind, Path) else text
