"""A real server on a demo district and a real browser; whatever goes wrong in the page fails the test."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server on a demo district of 30 cells."""
    folder = tmp_path_factory.mktemp("browser")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "GRIDMAP_DATA_DIR": str(folder),
        "GRIDMAP_PORT": str(port),
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
    }
    gridmap = [sys.executable, "-m", "web"]
    for command in (["store", "prepare"], ["demo", "--cells", "30", "--problems", "1500"]):
        subprocess.run([*gridmap, *command], env=environment, check=True, capture_output=True, cwd=ROOT)
    log = (folder / "server.log").open("w")
    process = subprocess.Popen([*gridmap, "serve"], env=environment, stdout=log, stderr=log, cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        # A machine with much else to do takes its time to start and to end.
        for _ in range(1200):
            try:
                requests.get(f"{address}/sign-in", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.1)
        else:
            pytest.fail((folder / "server.log").read_text())
        yield address
    finally:
        process.terminate()
        process.wait(120)
        log.close()


@pytest.fixture
def open_as(server: str, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Sign in as one of the demo's logins and open a page; whatever is wrong in it fails the test."""
    faults: list[str] = []
    contexts = []

    def _open(
        path: str = "/", user: str = "hq", width: int = 1440, height: int = 900, ignore: str = "^$"
    ) -> Page:
        """Open it; `ignore` is what the console may say, as the test brings it about."""
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on(
            "console",
            lambda m: (
                faults.append(f"console: {m.text}")
                if m.type == "error" and not re.search(ignore, m.text)
                else None
            ),
        )
        page.on(
            "request",
            lambda r: (
                faults.append(f"off host: {r.url}")
                if not r.url.startswith((server, "data:", "blob:", "file:"))
                else None
            ),
        )
        page.goto(f"{server}/sign-in")
        page.fill("[name=username]", user)
        page.fill("[name=password]", "gridmap-demo")
        page.click("main button")
        page.goto(f"{server}{path}")
        page.wait_for_load_state("networkidle")
        return page

    yield _open
    for context in contexts:
        context.close()
    assert faults == []
