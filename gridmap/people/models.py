"""Tables of organisations, persons and their logins."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gridmap.people.permissions import Role
from gridmap.store.base import Base, Identified, Valid, text_enum

__all__ = ["Grant", "Login", "Organisation", "OrganisationKind", "Person"]


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
    """Raised to end every session of this login."""

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
