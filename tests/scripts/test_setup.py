"""What scripts/setup says and installs where something is missing; its programs are stand-ins here."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARE_PYTHON = (
    "case $2 in *'version_info[:2]'*) echo 3.12;; *'exit(sys.version_info'*) exit 0;; *) exit 1;; esac"
)


@pytest.fixture
def machine(tmp_path):
    """Make a machine with a Python that lacks venv and SpatiaLite, and run the program on it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "cat", "dirname", "env", "grep", "mktemp", "rm", "sha256sum", "tr"):
        (programs / name).symlink_to(shutil.which(name))
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/setup", tmp_path / "scripts/setup")
    for file in [*ROOT.glob("requirements*.lock"), ROOT / "pyproject.toml"]:
        (tmp_path / file.name).touch()

    def run(*arguments: str, **stand_ins: str) -> subprocess.CompletedProcess[str]:
        for name, script in {"python3": BARE_PYTHON, **stand_ins}.items():
            (programs / name.replace("_", "-")).write_text(f"#!{programs}/bash\n{script}\n")
            (programs / name.replace("_", "-")).chmod(0o755)
        return subprocess.run(
            [tmp_path / "scripts/setup", *arguments],
            env={"PATH": str(programs), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("apt", [{}, {"apt_get": "exit 0", "sudo": "exit 1"}], ids=["no apt", "no right"])
def test_where_nothing_may_be_installed_one_line_says_what_to_install(machine, apt):
    done = machine(id="echo 1000", **apt)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("sudo apt-get install -y python3.12-venv libsqlite3-mod-spatialite\n")


def test_what_is_missing_is_installed(machine, tmp_path):
    machine(id="echo 0", apt_get=f'echo "$@" >>{tmp_path}/log')
    update, install = (tmp_path / "log").read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("--no-install-recommends python3.12-venv libsqlite3-mod-spatialite")


def test_a_user_who_may_use_sudo_is_asked_nothing(machine, tmp_path):
    machine(id="echo 1000", sudo='shift; "$@"', apt_get=f'echo "$@" >>{tmp_path}/log')
    assert "libsqlite3-mod-spatialite" in (tmp_path / "log").read_text()


def test_a_failed_installation_shows_its_log(machine):
    done = machine(id="echo 0", apt_get="echo E: no space left; exit 100")
    assert done.returncode == 1
    assert "E: no space left" in done.stderr
