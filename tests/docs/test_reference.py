"""What is not documented does not exist: settings, commands, permissions, states, kinds of import."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import pytest

from gridmap.config import Settings
from gridmap.imports.kinds import KINDS
from gridmap.people.permissions import ROLE_PERMISSIONS, Permission, Role
from gridmap.problems.models import State
from gridmap.workflow.transitions import TRANSITIONS
from web.command import program

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference.md").read_text(encoding="utf-8")
LINES = PAGE.splitlines()


def row(name: str) -> list[str]:
    found = [line for line in LINES if line.startswith(f"| `{name}")]
    assert len(found) == 1, f"{name} has {len(found)} rows in docs/reference.md"
    return [cell.strip() for cell in found[0].strip("|").split("|")]


@pytest.mark.parametrize("field", fields(Settings), ids=lambda f: f.name)
def test_settings(field):
    cells = row(f"GRIDMAP_{field.name.upper()}`")
    shown = cells[1].strip("`")
    default = int(field.default) if isinstance(field.default, bool) else field.default
    assert shown == (f"{default:g}" if isinstance(default, float) else str(default))


def commands(group: click.Group, path: str = "gridmap") -> list[str]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = f"{path} {name}"
        found += commands(command, inner) if isinstance(command, click.Group) else [inner]
    return found


@pytest.mark.parametrize("command", commands(program))
def test_commands(command):
    assert any(line.startswith((f"| `{command}`", f"| `{command} ")) for line in LINES)


@pytest.mark.parametrize("permission", list(Permission))
def test_permissions_name_their_roles(permission):
    said = row(f"{permission.value}`")[2]
    held = {role for role in Role if permission in ROLE_PERMISSIONS[role]}
    names = {role: role.value.replace("_", " ").replace("read only", "read-only") for role in Role}
    if said.startswith("every role"):
        missing = {role for role in Role if f"{names[role]}" in said.removeprefix("every role")}
        assert held == set(Role) - missing
    else:
        assert {names[role] for role in held} == {part.strip() for part in said.split(",")}


@pytest.mark.parametrize("state", list(State))
def test_states(state):
    assert row(f"{state.value}`")[2] == ("no" if state.resolved else "yes")


@pytest.mark.parametrize("line", list(TRANSITIONS.values()), ids=lambda line: line.action.value)
def test_steps(line):
    cells = row(f"{line.action.value}`")
    assert {name.strip(" `") for name in cells[1].split(",")} == {state.value for state in line.sources}
    assert cells[2].strip("`") == (line.to.value if line.to else "stays")
    assert cells[3].strip("`") == line.permission.value
    assert (cells[4] == "–") == (not line.needs)


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.plan], ids=lambda k: k.name)
def test_kinds_of_import_and_their_fields(kind):
    said = row(f"{kind.name}`")[1]
    for field in kind.fields(ZoneInfo("UTC")):
        assert f"`{field.name}`" in said
