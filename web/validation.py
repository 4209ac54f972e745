"""What is wrong with a parameter, in the reader's language: the common findings of pydantic in own words."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic_core import PydanticCustomError

from gridmap.language import gettext, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TEMPLATES", "expected", "say"]

_OWN = "gridmap"
_BETWEEN = re.compile(r", | or ")


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when it is said."""
    return text


_INTEGER = _("Expected a whole number.")
_NUMBER = _("Expected a number.")
_TRUTH = _("Expected 1 or 0.")
_CHOICE = _("Expected one of {expected}.")
_UUID = _("Expected a UUID.")

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "extra_forbidden": _("There is no parameter of this name."),
        "missing": _("This parameter is needed."),
        "int_parsing": _INTEGER,
        "int_type": _INTEGER,
        "int_from_float": _INTEGER,
        "int_parsing_size": _INTEGER,
        "float_parsing": _NUMBER,
        "float_type": _NUMBER,
        "finite_number": _NUMBER,
        "bool_parsing": _TRUTH,
        "bool_type": _TRUTH,
        "enum": _CHOICE,
        "literal_error": _CHOICE,
        "greater_than_equal": _("Expected {ge} or more."),
        "greater_than": _("Expected more than {gt}."),
        "less_than_equal": _("Expected {le} or less."),
        "less_than": _("Expected less than {lt}."),
        "string_too_long": _("Expected at most {max_length} characters."),
        "string_too_short": _("Expected at least {min_length} characters."),
        "string_type": _("Expected text."),
        "string_pattern_mismatch": _("Expected another form of text."),
        "uuid_parsing": _UUID,
        "uuid_type": _UUID,
    }
)
"""Own words by pydantic's type of error, with its context as values."""


def expected(template: str, **params: Any) -> PydanticCustomError:
    """Error for a validator to raise: a template, key of the catalogue, and its values."""
    return PydanticCustomError(_OWN, "{english}", {"english": template, "params": params})


def say(fault: Mapping[str, Any]) -> str:
    """Say one of pydantic's faults (with context) in the language in force."""
    context = dict(fault.get("ctx", {}))
    if fault["type"] == _OWN:
        own = context["english"]
        return gettext(own, **context["params"])
    template = TEMPLATES.get(fault["type"])
    if template is None:
        return gettext("Expected another value.")
    if template is _CHOICE:
        # Such as `'shift', 'week' or 'month'`, in English whatever the language.
        context["expected"] = listed(one.strip("'") for one in _BETWEEN.split(str(context["expected"])))
    return gettext(template, **context)
