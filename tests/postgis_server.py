"""A throwaway PostgreSQL server with PostGIS for one test run."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path


def find_binaries() -> Path | None:
    """Folder with initdb and pg_ctl, the newest version first; None where there is no server."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if found:
        return found[0].parent
    program = shutil.which("initdb")
    return Path(program).resolve().parent if program else None


def _runuser() -> str:
    """Path of runuser, which lies in a folder that not every account has on its path."""
    return shutil.which("runuser", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or "runuser"


class PostgisServer:
    """One cluster on a Unix socket, as user postgres where the tests run as root.

    Parameters
    ----------
    binaries
        Where initdb lies.
    durable
        Whether a commit waits for the disk, as an installation's does; tests need no disk.
    """

    def __init__(self, binaries: Path, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gridmap-pg-"))
        self._binaries = binaries
        self._as = [_runuser(), "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres", "postgres")
            self.user = "postgres"
        else:
            self.user = pwd.getpwuid(os.geteuid()).pw_name
        self._run(
            "initdb",
            "-D",
            f"{self.folder}/data",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-U",
            self.user,
        )
        options = f"-k {self.folder} -c listen_addresses='' -c shared_buffers=256MB -c max_connections=80" + (
            "" if durable else " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
        )
        self._run(
            "pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-o", options, "start"
        )

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._as, str(self._binaries / program), *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if done.returncode:
            message = f"{program} failed: {done.stderr or done.stdout}"
            raise RuntimeError(message)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://{self.user}@/{database}?host={self.folder}"

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)
