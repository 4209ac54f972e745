"""A real server, started and killed at will."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse"  # noqa: S105 - of throwaway logins


@dataclass
class Server:
    """One server, started and killed at will."""

    folder: Path
    store_url: str
    port: int
    workers: int = 2
    settings: dict[str, str] = field(default_factory=dict)
    """Further ones, by the name of their variable."""
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    log: list[Path] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = os.environ | {
            "GRIDMAP_DATA_DIR": str(self.folder),
            "GRIDMAP_DATABASE_URL": self.store_url,
            "GRIDMAP_PORT": str(self.port),
            "GRIDMAP_WORKERS": str(self.workers),
            "GRIDMAP_EVIDENCE_PER_HOUR": "100000",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
        }
        environment |= self.settings
        self.log.append(self.folder / f"server-{len(self.log)}.log")
        with self.log[-1].open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "web", "serve", *self.options],
                env=environment,
                cwd=ROOT,
                stdout=log,
                stderr=log,
                # A group of its own, so that it is killed with its workers, as by a power cut.
                start_new_session=True,
            )
        for _ in range(600):
            try:
                if requests.get(f"{self.address}/sign-in", timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        pytest.fail(self.log[-1].read_text())

    def kill(self) -> None:
        """End it at once, in the middle of whatever it does."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()

    def sign_in(self, username: str) -> dict[str, Any]:
        """What a writer needs to be somebody: cookies and the token against forged requests."""
        with requests.Session() as session:
            page = session.get(f"{self.address}/sign-in", timeout=60).text
            token = re.search(r'name="csrf_token" value="([^"]+)"', page)
            form = {"username": username, "password": PASSWORD, "csrf_token": token[1] if token else ""}
            answer = session.post(f"{self.address}/sign-in", data=form, allow_redirects=False, timeout=60)
            assert answer.status_code == 302, answer.text
            page = session.get(f"{self.address}/", timeout=60).text
            token = re.search(r'name="csrf_token" value="([^"]+)"', page)
            return {
                "address": self.address,
                "cookies": session.cookies.get_dict(),
                "token": token[1] if token else "",
            }
