"""Tables of organisations, persons, their logins, and what lets a request in as one of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmap.people.permissions import Role
from gridmap.store.base import Base, BigId, Identified, Valid, text_enum

__all__ = [
    "Attempts",
    "Credential",
    "CredentialKind",
    "CredentialUse",
    "Grant",
    "Login",
    "OneTimeCode",
    "Organisation",
    "OrganisationKind",
    "OutsideIdentity",
    "Person",
    "RecoveryCode",
]


class OrganisationKind(StrEnum):
    """What sort of body an organisation is."""

    HEADQUARTERS = "headquarters"
    SUBDISTRICT_OFFICE = "subdistrict_office"
    COMMUNITY = "community"
    SQUAD = "squad"
    DEPARTMENT = "department"
    PROPERTY = "property"
    CONTRACTOR = "contractor"
    OTHER = "other"


class Organisation(Base, Identified):
    """A body that holds places and fixes problems (单位)."""

    __tablename__ = "organisation"

    name: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[OrganisationKind] = mapped_column(
        text_enum(OrganisationKind), default=OrganisationKind.OTHER
    )
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)


class Person(Base, Identified, Valid):
    """Somebody with a phone number, an organisation and duties (人员)."""

    __tablename__ = "person"

    name: Mapped[str] = mapped_column(String(100), index=True)
    phone: Mapped[str | None] = mapped_column(String(40), index=True)
    duty: Mapped[str] = mapped_column(String(200), default="")
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import.id"), index=True)

    organisation: Mapped[Organisation | None] = relationship()


class Login(Base, Identified):
    """An account of a person."""

    __tablename__ = "login"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    password_hash: Mapped[str] = mapped_column(String(300))
    language: Mapped[str | None] = mapped_column(String(10))
    disabled: Mapped[bool] = mapped_column(default=False)
    session_epoch: Mapped[int] = mapped_column(default=0)
    """Raised to end every session and token of this login."""
    rights_epoch: Mapped[int] = mapped_column(default=0)
    """Raised when its roles change: sessions go on, under a new identity."""
    must_change: Mapped[bool] = mapped_column(default=False)
    """Whether the password was given by somebody else and must be changed before anything else."""
    password_set_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()
    grants: Mapped[list[Grant]] = relationship(back_populates="login", cascade="all, delete-orphan")


class Grant(Base, Identified):
    """A role, limited to an area or an organisation or both; neither: everywhere."""

    __tablename__ = "grant"
    __table_args__ = (CheckConstraint("role <> ''", name="role_named"),)

    login_id: Mapped[int] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), index=True)
    role: Mapped[Role] = mapped_column(text_enum(Role))
    area_id: Mapped[int | None] = mapped_column(ForeignKey("area.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))

    login: Mapped[Login] = relationship(back_populates="grants")


class CredentialKind(StrEnum):
    """What a credential is for."""

    SESSION = "session"
    TOKEN = "token"  # noqa: S105 - the name of a kind


class Credential(Base, Identified):
    """What lets a request in as a login: a browser's session after a sign-in, or a token for a machine.

    The secret itself is nowhere; it is 256 random bits, of which SHA-256 is kept.
    """

    __tablename__ = "credential"

    login_id: Mapped[int] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), index=True)
    kind: Mapped[CredentialKind] = mapped_column(text_enum(CredentialKind))
    name: Mapped[str] = mapped_column(String(200), default="")
    """What its owner calls a token; of a session, the browser."""
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    former_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), index=True)
    """Of the identity before the last renewal; good for a moment, for requests that were under way."""
    renewed_at: Mapped[datetime]
    session_epoch: Mapped[int]
    rights_epoch: Mapped[int]
    permissions: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    """What a token is limited to; none: everything the login may."""
    begun_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    login: Mapped[Login] = relationship()


class CredentialUse(Base):
    """When and from where a credential was last used, to within minutes."""

    __tablename__ = "credential_use"

    credential_id: Mapped[int] = mapped_column(
        ForeignKey("credential.id", ondelete="CASCADE"), primary_key=True
    )
    at: Mapped[datetime]
    address: Mapped[str] = mapped_column(String(60), default="")


class OneTimeCode(Base):
    """The secret from which a login's one-time codes are made (TOTP, RFC 6238), sealed."""

    __tablename__ = "one_time_code"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login_id: Mapped[int] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), unique=True)
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary(300))
    confirmed_at: Mapped[datetime | None]
    """When the first code was shown to work; none: not in force yet."""
    last_step: Mapped[int] = mapped_column(BigInteger, default=0)
    """Step of the last code that was used: it and earlier ones are refused."""


class RecoveryCode(Base):
    """A code for one sign-in without the device; hashed."""

    __tablename__ = "recovery_code"
    __table_args__ = (UniqueConstraint("login_id", "code_hash", name="uq_recovery_code"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login_id: Mapped[int] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    used_at: Mapped[datetime | None]


class OutsideIdentity(Base):
    """Who a login is at the city's identity provider (OpenID Connect); bound at the first sign-in."""

    __tablename__ = "outside_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_outside_identity"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login_id: Mapped[int] = mapped_column(ForeignKey("login.id", ondelete="CASCADE"), unique=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(255))
    bound_at: Mapped[datetime]


class Attempts(Base):
    """Failed sign-ins under a user name, or from an address; the key is a hash of which."""

    __tablename__ = "attempts"

    key: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime | None]
