"""What the public sees of a problem's life, codes and keys, and what a report must look like; no session."""

from __future__ import annotations

import csv
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from gridmap.errors import InvalidValueError
from gridmap.language import N_, gettext
from gridmap.problems.models import State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "COURSE",
    "Attribute",
    "Course",
    "attributes_of",
    "check_attributes",
    "clean_contact",
    "code_hash",
    "key_hash",
    "make_code",
    "make_key",
    "plain_place",
    "sender_hash",
]


@dataclass(frozen=True, slots=True)
class Course:
    """How a state is told: open or not, in plain words."""

    open: bool
    words: str

    @property
    def status(self) -> str:
        """Status of Open311."""
        return "open" if self.open else "closed"


COURSE: Mapping[State, Course] = MappingProxyType(
    {
        State.RECORDED: Course(open=True, words=N_("Received; it will be checked.")),
        State.CHECKED: Course(open=True, words=N_("Checked; it will be given to whoever is responsible.")),
        State.DISPATCHED: Course(open=True, words=N_("Given to the responsible organisation.")),
        State.ACCEPTED: Course(open=True, words=N_("The responsible organisation is working on it.")),
        State.FIXED: Course(open=True, words=N_("Reported as fixed; somebody will look.")),
        State.VERIFIED: Course(open=True, words=N_("Found fixed; it will be closed.")),
        State.SENT_BACK: Course(open=True, words=N_("Not fixed well enough; work goes on.")),
        State.RETURNED: Course(open=True, words=N_("Another organisation is being found for it.")),
        State.SUSPENDED: Course(open=True, words=N_("Postponed with approval.")),
        State.CLOSED: Course(open=False, words=N_("Fixed and closed.")),
        State.REJECTED: Course(open=False, words=N_("Checked and found to be no problem to be fixed.")),
        State.MERGED: Course(open=False, words=N_("Reported before; it goes on under that report.")),
    }
)
"""Every state as the public is told it."""

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE_LENGTH = 16
"""31 letters and digits that nobody mistakes for another: 79 bits, beyond guessing."""
_DIGITS = 4
"""Decimals of a degree that the public sees: some ten metres."""


def make_code() -> str:
    """Make a code for following a report, such as ``7KQ2-MHRD-…``."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return "-".join(letters[start : start + 4] for start in range(0, _CODE_LENGTH, 4))


def code_hash(code: str) -> str:
    """Hash under which a code is kept; case, blanks and dashes do not matter."""
    return hashlib.sha256(re.sub(r"[\s-]", "", code).upper().encode()).hexdigest()


def make_key() -> str:
    """Make a key for another system."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """Hash under which a key is kept: it has 256 bits, so that no slow hash is needed."""
    return hashlib.sha256(key.encode()).hexdigest()


def sender_hash(address: str, secret: str) -> str:
    """Keyed hash of the address that something was sent from."""
    return hmac.new(secret.encode(), address.encode(), hashlib.sha256).hexdigest()


def plain_place(lon: float, lat: float) -> tuple[float, float]:
    """Longitude and latitude as everybody may know them, degrees."""
    return round(lon, _DIGITS), round(lat, _DIGITS)


_PHONE = re.compile(r"\+?\d{5,15}")
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")


def clean_contact(name: str, phone: str, email: str) -> tuple[str, str, str]:
    """Return what somebody says of themselves, without blanks and brackets in the number.

    Raises
    ------
    InvalidValueError
        If one of them cannot be what it should be.
    """
    name, email = name.strip(), email.strip()
    phone = re.sub(r"[\s\-()（）]", "", phone)
    if phone and not _PHONE.fullmatch(phone):
        raise InvalidValueError(
            "Expected a telephone number; found “{found}”.", parameter="phone", found=phone[:40]
        )
    if email and (len(email) > 200 or not _EMAIL.fullmatch(email)):
        raise InvalidValueError(
            "Expected an e-mail address; found “{found}”.", parameter="email", found=email[:80]
        )
    if len(name) > 100:
        raise InvalidValueError(
            "Expected at most {longest} characters; found {found}.",
            parameter="name",
            longest=100,
            found=len(name),
        )
    return name, phone, email


@dataclass(frozen=True, slots=True)
class Attribute:
    """One more question that a category asks, as Open311 has it; its texts are messages to translate."""

    code: str
    order: int
    datatype: str
    required: bool
    question: str
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def description(self) -> str:
        """The question, in the language in force."""
        return gettext(self.question)

    @property
    def values(self) -> tuple[tuple[str, str], ...]:
        """Keys of the answers that there are to choose from, with their names in the language in force."""
        return tuple((key, gettext(name)) for key, name in self.choices)


@cache
def _attributes() -> Mapping[str, tuple[Attribute, ...]]:
    found: dict[str, list[Attribute]] = {}
    with (files("gridmap.residents") / "attributes.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            pairs = (part.partition("=") for part in row["choices"].split("|"))
            choices = tuple((key, name) for key, _, name in pairs if key)
            category = found.setdefault(row["category"], [])
            category.append(
                Attribute(
                    row["code"],
                    len(category) + 1,
                    row["datatype"],
                    row["required"] == "1",
                    row["question"],
                    choices,
                )
            )
    return {category: tuple(attributes) for category, attributes in found.items()}


def attributes_of(category: str) -> tuple[Attribute, ...]:
    """Return what a category asks beyond place and text, by its code; the table is a file beside this one."""
    return _attributes().get(category, ())


def check_attributes(category: str, given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the answers that belong to a category; others are left out.

    Raises
    ------
    InvalidValueError
        If a needed one is missing, or one is not of its datatype.
    """
    found: dict[str, list[str]] = {}
    for attribute in attributes_of(category):
        answers = [text.strip() for text in given.get(attribute.code, ()) if text.strip()]
        name = f"attribute[{attribute.code}]"
        if not answers:
            if attribute.required:
                raise InvalidValueError(
                    "An answer to this is needed: {question}.", parameter=name, question=attribute.description
                )
            continue
        if attribute.datatype != "multivaluelist" and len(answers) > 1:
            raise InvalidValueError("Expected this parameter once.", parameter=name)
        keys = {key for key, _ in attribute.choices}
        for answer in answers:
            if len(answer) > 500:
                raise InvalidValueError(
                    "Expected at most {longest} characters; found {found}.",
                    parameter=name,
                    longest=500,
                    found=len(answer),
                )
            if keys and answer not in keys:
                raise InvalidValueError(
                    "Expected one of {expected}; found “{found}”.",
                    parameter=name,
                    expected=", ".join(sorted(keys)),
                    found=answer[:80],
                )
            if attribute.datatype == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", answer):
                raise InvalidValueError(
                    "Expected a number; found “{found}”.", parameter=name, found=answer[:80]
                )
        found[attribute.code] = answers
    return found
