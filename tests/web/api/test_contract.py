"""What the running server answers, against what its OpenAPI document promises, with inputs made from it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import uuid

import pytest
import requests
from pictures import photo
from real_server import Server

from gridmap.people.permissions import Role

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
CODES = """
parameters = { "body.category" = { dictionary = "codes", probability = 0.8 } }
[dictionaries.codes]
values = ["A1", "B2"]
"""
EXAMPLES = 12
"""Of each operation. By hand with more: `schemathesis run <address>/api/v1/openapi.json`."""


@pytest.fixture
def store_url(spatialite_url):
    """Return one store: what is asked here is about the edge."""
    return spatialite_url


@pytest.fixture
def served(town, sign_in, settings):
    """A server on the town, and what somebody from the headquarters sends with each request."""
    sign_in(Role.HEADQUARTERS)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    off = {"GRIDMAP_WRITES_PER_MINUTE": "0", "GRIDMAP_OPEN_REQUESTS_PER_MINUTE": "0"}
    server = Server(settings.data_dir, settings.store_url, port, workers=1, settings=off)
    try:
        server.start()
        who = server.sign_in("headquarters-None-None")
        cookie = "; ".join(f"{name}={value}" for name, value in who["cookies"].items())
        yield server, {"Cookie": cookie, "X-CSRFToken": who["token"], "Tus-Resumable": "1.0.0"}
    finally:
        server.stop()


def test_every_answer_is_declared(served, town, tmp_path):
    server, headers = served
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(things(server, headers, town), encoding="utf-8")
    sent = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", configuration),
            *("run", f"{server.address}/api/v1/openapi.json", *sent, "--checks", ",".join(CHECKS)),
            *("--phases", "fuzzing", "--max-examples", str(EXAMPLES), "--generation-deterministic"),
            *("--continue-on-failure", "--no-color", "--warnings", "off"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr + server.log[-1].read_text(encoding="utf-8")
    counted = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert counted, done.stdout
    assert int(counted[2]) == int(counted[1]) > 300


def things(server, headers, town):
    """Say which uid each address is asked with, so that its inside is reached and not only its 404."""
    picture = uuid.uuid4()
    answer = requests.post(
        f"{server.address}/api/v1/attachments",
        headers=headers,
        data={"uid": str(picture), "problem": town.frame["uid"][0], "stage": "found"},
        files={"file": ("a.jpg", photo((48, 36)), "image/jpeg")},
        timeout=60,
    )
    assert answer.status_code == 201, answer.text
    known = {
        "areas": town.district.uid,
        "cells": town.cells[0].uid,
        "points": town.point.uid,
        "roads": town.road.uid,
        "problems": town.frame["uid"][0],
        "shops": town.shop.uid,
        "attachments": picture,
    }
    return CODES + "\n".join(
        f"[[operations]]\ninclude-path-regex = {json.dumps(f'^/api/v1/{name}/{{uid}}')}\n"
        f"parameters = {{ 'path.uid' = {json.dumps(str(uid))} }}\n"
        for name, uid in known.items()
    )
