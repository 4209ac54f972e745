"""`gridmap verify-trail`, as whoever runs the server calls it."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from pictures import photo
from sqlalchemy import select, text

from gridmap.cli import program
from gridmap.config import Settings
from gridmap.evidence.examination import Upload, examine
from gridmap.evidence.files import Vault
from gridmap.evidence.models import Attachment, Stage
from gridmap.evidence.service import add_attachment
from gridmap.installation import open_store
from gridmap.people.logins import create_login
from gridmap.people.models import Person
from gridmap.people.permissions import Actor, Holding, Role
from gridmap.store.engine import reading, writing
from gridmap.trail.anchors import Anchors
from gridmap.trail.models import TrailEntry
from gridmap.trail.origin import Origin


@pytest.fixture
def run(tmp_path, store_url):
    environment = {"GRIDMAP_DATA_DIR": str(tmp_path), "GRIDMAP_DATABASE_URL": store_url}

    def _run(*arguments):
        return CliRunner().invoke(program, list(arguments), env=environment)

    return _run


@pytest.fixture
def picture(tmp_path, store_url):
    """A photo as evidence."""
    settings = Settings(data_dir=tmp_path, database_url=store_url)
    engine = open_store(settings)
    with writing(engine) as session:
        login = create_login(
            session,
            person=Person(name="甲"),
            username="jia",
            password="very secret",  # noqa: S106 - of a throwaway login
            role=Role.GRID_WORKER,
        )
        actor = Actor(name="甲", holdings=(Holding(Role.GRID_WORKER),), login_id=login.id)
    upload = Upload(content=io.BytesIO(photo((64, 48))), uid=uuid.uuid4(), stage=Stage.AFTER)
    with writing(engine) as session:
        add_attachment(
            session, actor, examine(upload, settings=settings), settings=settings, now=datetime.now(UTC)
        )
    with reading(engine) as session:
        found = session.scalars(select(Attachment)).one()
    engine.dispose()
    return found


def test_a_clean_store_ends_with_0_and_says_where_the_trail_ends(run, picture):
    result = run("verify-trail")
    assert result.exit_code == 0, result.output
    assert "3 个文件" in result.output
    told = json.loads(run("verify-trail", "--json").output)
    assert (told["entries"], told["files"], told["findings"]) == (2, 3, [])
    assert len(told["hash"]) == 64


def test_a_changed_photo_is_named(run, picture, tmp_path):
    path = Vault(tmp_path).path(picture.shown_sha256)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    result = run("verify-trail")
    assert result.exit_code == 1
    assert f"attachment {picture.id} copy" in result.output
    assert picture.shown_sha256 in result.output


def test_a_photo_that_is_gone_is_named(run, picture, tmp_path):
    Vault(tmp_path).path(picture.sha256).unlink()
    told = json.loads(run("verify-trail", "--json").output)
    assert [(one["kind"], one["where"]) for one in told["findings"]] == [
        ("file_missing", f"attachment {picture.id} original")
    ]


def test_another_photo_with_its_digest_in_the_row_is_found(run, picture, tmp_path, store_url):
    other = Vault(tmp_path).path("ab" * 32)
    other.parent.mkdir(exist_ok=True)
    other.write_bytes(b"another picture")
    engine = open_store(Settings(data_dir=tmp_path, database_url=store_url))
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(text("UPDATE attachment SET sha256 = :digest"), {"digest": "ab" * 32})
    engine.dispose()
    told = json.loads(run("verify-trail", "--json").output)
    assert {one["kind"] for one in told["findings"]} == {"row_changed", "file_changed"}


def test_a_former_key_can_be_given(run, picture, tmp_path):
    former = tmp_path / "former"
    (tmp_path / "secret_key").rename(former)
    assert "--former-key" in run("verify-trail").output
    result = run("verify-trail", "--former-key", str(former))
    assert result.exit_code == 0, result.output


def test_only_new_entries_can_be_checked(run, picture, tmp_path, store_url):
    engine = open_store(Settings(data_dir=tmp_path, database_url=store_url))
    with engine.execution_options(gridmap_write=True).begin() as connection:
        connection.execute(text("UPDATE person SET name = '乙'"))
        connection.execute(text("UPDATE attachment SET file_name = '乙'"))
    engine.dispose()
    told = json.loads(run("verify-trail", "--since", "2", "--json").output)
    assert (told["entries"], [one["where"] for one in told["findings"]]) == (1, [f"attachment {picture.id}"])


def test_commands_are_named_without_their_secrets():
    origin = Origin.of_command(["login", "create", "jia", "--password", "correct horse", "--name", "甲 乙"])
    assert origin.where == "command gridmap login create jia --password ... --name '甲 乙'"
    assert Origin.of_command(["login", "--password=correct"]).where == "command gridmap login --password=..."


def test_a_command_that_changes_something_is_in_the_trail(tmp_path):
    folder = {"GRIDMAP_DATA_DIR": str(tmp_path)}
    assert CliRunner().invoke(program, ["store", "prepare"], env=folder).exit_code == 0
    command = ["login", "create", "jia", "--role", "headquarters", "--password", "correct horse"]
    result = CliRunner().invoke(program, command, env=folder)
    assert result.exit_code == 0, result.output
    engine = open_store(Settings(data_dir=tmp_path))
    with reading(engine) as session:
        origin = session.scalars(select(TrailEntry.origin)).one()
    engine.dispose()
    assert origin.startswith("command gridmap ")


def test_anchors_cut_in_the_middle_of_a_line_are_left_out(tmp_path):
    anchors = Anchors(tmp_path / "trail_anchors")
    anchors.drop(1, "a" * 64)
    with anchors.path.open("a") as file:
        file.write("2 bb")
    assert list(anchors.read()) == [(1, "a" * 32)]
